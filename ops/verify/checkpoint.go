package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// head is a signed tree head that is believed.
type head struct {
	origin  string
	tree    tlog.Tree
	signers []string
}

// open returns the head of a checkpoint, having checked form, origin, signatures and quorum. `where` names it in faults.
func (t *trusted) open(where string, text []byte) (*head, error) {
	opened, err := note.Open(text, t.known)
	var unsigned *note.UnverifiedNoteError
	var wrong *note.InvalidSignatureError
	switch {
	case errors.As(err, &wrong):
		return nil, faulty("%s: the signature of `%s+%08x` is not over this text", where, wrong.Name, wrong.Hash)
	case errors.As(err, &unsigned):
		return nil, t.stranger(where, unsigned.Note)
	case err != nil:
		return nil, faulty("%s: no signed note: expected a text, an empty line and signature lines", where)
	}
	found, err := parseBody(where, opened.Text)
	if err != nil {
		return nil, err
	}
	cosigned, signed := map[string]bool{}, false
	for _, signature := range opened.Sigs {
		id := fmt.Sprintf("%s+%08x", signature.Name, signature.Hash)
		signed = signed || t.logs[id] && signature.Name == found.origin
		cosigned[id] = !t.logs[id]
		found.signers = append(found.signers, id)
	}
	if !slices.Contains(t.origins, found.origin) {
		return nil, faulty("%s: its origin is `%s`: expected `%s`, the name of the key", where, found.origin, t.names())
	}
	if !signed {
		return nil, t.stranger(where, opened)
	}
	if !t.quorum(cosigned) {
		return nil, faulty("%s: the witnesses who cosigned do not make the quorum `%s`", where, t.want)
	}
	return found, nil
}

// stranger says why nobody who is believed has signed.
func (t *trusted) stranger(where string, n *note.Note) error {
	origin, _, _ := strings.Cut(n.Text, "\n")
	if !slices.Contains(t.origins, origin) {
		return faulty("%s: of `%s`, and not signed by the key given: expected `%s`", where, origin, t.names())
	}
	return faulty("%s: not signed by the key given, though the origin is its name", where)
}

func (t *trusted) names() string { return strings.Join(t.origins, "` or `") }

// parseBody reads origin, size and root. Extension lines are refused: this log writes none.
func parseBody(where, body string) (*head, error) {
	lines := strings.Split(body, "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return nil, faulty("%s: %d lines: expected origin, size and root", where, len(lines)-1)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return nil, faulty("%s: size `%s`: expected a decimal without leading zeroes", where, lines[1])
	}
	root, err := readHash(lines[2])
	if err != nil {
		return nil, faulty("%s: root `%s`: %v", where, lines[2], err)
	}
	return &head{origin: lines[0], tree: tlog.Tree{N: size, Hash: root}}, nil
}

func readHash(text string) (tlog.Hash, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != tlog.HashSize || strings.ContainsAny(text, "\r\n") {
		return tlog.Hash{}, errors.New("expected 32 bytes in base64")
	}
	return tlog.Hash(raw), nil
}
