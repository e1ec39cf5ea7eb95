package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	proofHeader = "c2sp.org/tlog-proof@v1"
	mostHashes  = 63
)

// proof is a tlog-proof file: where the record lies, the path from it to the root, and the checkpoint with that root.
type proof struct {
	extra      []byte
	hasExtra   bool
	index      int64
	path       tlog.RecordProof
	checkpoint string
}

// checkProof checks a proof file, and returns what it proves.
func checkProof(path string, t *trusted, recordFile string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, err := parseProof(path, string(text))
	if err != nil {
		return nil, err
	}
	at, err := t.open(path+": checkpoint", []byte(p.checkpoint))
	if err != nil {
		return nil, err
	}
	record := p.extra
	if recordFile != "" {
		if record, err = os.ReadFile(recordFile); err != nil {
			return nil, err
		}
		if p.hasExtra && string(record) != string(p.extra) {
			return nil, faulty("%s: the record it carries is not the one in %s", path, recordFile)
		}
	} else if !p.hasExtra {
		return nil, misused("%s carries no record: expected --record FILE", path)
	}
	hash := tlog.RecordHash(record)
	if err := p.leadsTo(path, at.tree, hash); err != nil {
		return nil, err
	}
	return map[string]any{
		"says":    fmt.Sprintf("leaf %d of %d in %s, signed by %s", p.index, at.tree.N, at.origin, strings.Join(at.signers, ", ")),
		"origin":  at.origin,
		"index":   p.index,
		"size":    at.tree.N,
		"root":    at.tree.Hash.String(),
		"leaf":    hex.EncodeToString(hash[:]),
		"signers": at.signers,
	}, nil
}

// leadsTo says whether the path leads from the hash of a record to the root of the tree.
func (p *proof) leadsTo(where string, tree tlog.Tree, leaf tlog.Hash) error {
	if p.index >= tree.N {
		return faulty("%s: leaf %d is not in a tree of %d leaves", where, p.index, tree.N)
	}
	if expected := pathLength(p.index, tree.N); len(p.path) != expected {
		return faulty("%s: a path of %d hashes: leaf %d of %d has one of %d", where, len(p.path), p.index, tree.N, expected)
	}
	if tlog.CheckRecord(p.path, tree.N, tree.Hash, p.index, leaf) != nil {
		return faulty("%s: this record does not lead to the signed root along this path: one of the two is not what was logged", where)
	}
	return nil
}

// pathLength returns how many hashes lie between a leaf and the root (RFC 6962 §2.1.1).
func pathLength(index, size int64) int {
	inner := bits.Len64(uint64(index ^ (size - 1)))
	return inner + bits.OnesCount64(uint64(index)>>inner)
}

func parseProof(where, text string) (*proof, error) {
	p := &proof{}
	head, checkpoint, ok := strings.Cut(text, "\n\n")
	if !ok {
		return nil, faulty("%s: no empty line between path and checkpoint", where)
	}
	p.checkpoint = checkpoint
	lines := strings.Split(head, "\n")
	if lines[0] != proofHeader {
		return nil, faulty("%s: no tlog-proof: expected `%s` as its first line", where, proofHeader)
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		extra, err := base64.StdEncoding.Strict().DecodeString(lines[0][len("extra "):])
		if err != nil {
			return nil, faulty("%s: its extra data is not base64", where)
		}
		p.extra, p.hasExtra, lines = extra, true, lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return nil, faulty("%s: no index line: expected `index N`", where)
	}
	number := lines[0][len("index "):]
	index, err := strconv.ParseInt(number, 10, 64)
	if err != nil || index < 0 || strconv.FormatInt(index, 10) != number {
		return nil, faulty("%s: index `%s`: expected a decimal without leading zeroes", where, number)
	}
	p.index = index
	if lines = lines[1:]; len(lines) > mostHashes {
		return nil, faulty("%s: a path of %d hashes: expected at most %d", where, len(lines), mostHashes)
	}
	for i, line := range lines {
		hash, err := readHash(line)
		if err != nil {
			return nil, faulty("%s: hash %d of the path: %v", where, i+1, err)
		}
		p.path = append(p.path, hash)
	}
	return p, nil
}
