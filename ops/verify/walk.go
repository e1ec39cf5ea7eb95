package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// walk is one reading of a whole log: every bundle once, every tile beside what its leaves make.
type walk struct {
	dir            string
	size           int64
	files          *listing
	seen           *head
	seenRoot       tlog.Hash
	grown, said    tree // over the entries, and over the hashes that the level 0 tiles say
	tiles, bundles int
	leaves         []mismatch // level 0: a leaf and what its tile says of it
	faults         []error    // above: a tile that is not what stands below it
}

type mismatch struct {
	index        int64
	made, said   tlog.Hash
	bundle, tile string
}

const mostMismatches = 1000

// run reads everything; it stops at what cannot be read, and keeps what does not agree for `judge`.
func (w *walk) run() error {
	w.grown.full = func(level int, number int64, hashes []byte) error {
		return w.compare(tlog.Tile{H: height, L: level, N: number, W: width}, hashes)
	}
	for start := int64(0); start < w.size; start += width {
		tile := tlog.Tile{H: height, L: -1, N: start >> height, W: int(min(width, w.size-start))}
		if err := w.bundle(tile, start); err != nil {
			return err
		}
	}
	for level, hashes := range w.grown.pending {
		if len(hashes) > 0 {
			tile := tlog.Tile{H: height, L: level, N: w.grown.closed[level], W: len(hashes) / tlog.HashSize}
			if err := w.compare(tile, hashes); err != nil {
				return err
			}
		}
	}
	return nil
}

// bundle reads the entries of a bundle into the tree.
func (w *walk) bundle(tile tlog.Tile, start int64) error {
	data, path, err := w.content(tile)
	if err != nil {
		return err
	}
	entries, used, err := split(path, data, tile.W, path == place(tile))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := w.grown.add(tlog.RecordHash(entry)); err != nil {
			return err
		}
		if w.seen != nil && w.seen.tree.N == w.grown.size {
			if w.seenRoot, err = w.grown.root(); err != nil {
				return err
			}
		}
	}
	w.bundles++
	return w.narrower(tile, func(narrow tlog.Tile, have []byte) error {
		_, part, err := split(place(narrow), have, narrow.W, true)
		if err == nil && !bytes.Equal(have[:part], data[:min(part, used)]) {
			err = faulty("%s: not the beginning of %s", place(narrow), path)
		}
		return err
	})
}

// split takes a bundle to pieces: `count` entries, each behind its length of two bytes; `alone` if nothing may follow.
func split(path string, data []byte, count int, alone bool) ([][]byte, int, error) {
	entries := make([][]byte, 0, count)
	at := 0
	for i := range count {
		if at+2 > len(data) {
			return nil, 0, faulty("%s: ends after %d entries: expected %d", path, i, count)
		}
		size := int(binary.BigEndian.Uint16(data[at:]))
		if at += 2; at+size > len(data) {
			return nil, 0, faulty("%s: cut short in entry %d: %d bytes of %d", path, i, len(data)-at, size)
		}
		entries = append(entries, data[at:at+size])
		at += size
	}
	if alone && at != len(data) {
		return nil, 0, faulty("%s: %d bytes after its last entry", path, len(data)-at)
	}
	return entries, at, nil
}

// compare holds the file of a tile against the hashes that the entries make.
func (w *walk) compare(tile tlog.Tile, hashes []byte) error {
	data, path, err := w.content(tile)
	if err != nil {
		return err
	}
	if expected := len(hashes); len(data) < expected || path == place(tile) && len(data) > expected {
		return faulty("%s: %d bytes: expected %d hashes of 32", path, len(data), tile.W)
	}
	w.tiles++
	for i := 0; i < tile.W; i++ {
		made, said := tlog.Hash(hashes[32*i:32*i+32]), tlog.Hash(data[32*i:32*i+32])
		if tile.L == 0 {
			w.said.add(said)
		}
		if made == said {
			continue
		}
		if tile.L == 0 && len(w.leaves) < mostMismatches {
			entries := tile
			entries.L = -1
			w.leaves = append(w.leaves, mismatch{tile.N<<height + int64(i), made, said, place(entries), path})
		} else if tile.L > 0 {
			w.faults = append(w.faults, faulty("%s: hash %d is not that over %s", path, i,
				place(tlog.Tile{H: height, L: tile.L - 1, N: tile.N<<height + int64(i), W: width})))
		}
	}
	return w.narrower(tile, func(narrow tlog.Tile, have []byte) error {
		if len(have) != narrow.W*tlog.HashSize {
			return faulty("%s: %d bytes: expected %d hashes of 32", place(narrow), len(have), narrow.W)
		}
		if !bytes.Equal(have, data[:len(have)]) {
			return faulty("%s: not the beginning of %s", place(narrow), path)
		}
		return nil
	})
}

// narrower shows every partial tile of another width, which a checkpoint before this one needed.
func (w *walk) narrower(tile tlog.Tile, show func(tlog.Tile, []byte) error) error {
	key := tile
	key.W = 0
	for _, width := range slices.Sorted(slices.Values(w.files.widths[key])) {
		narrow := tile
		narrow.W = width
		if width >= tile.W {
			continue
		}
		have, err := os.ReadFile(filepath.Join(w.dir, place(narrow)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // the log goes on: its full tile has taken the place of this one meanwhile
		} else if err != nil {
			return err
		}
		if err := show(narrow, have); err != nil {
			return err
		}
	}
	return nil
}

// judge says what is wrong, the most telling first: the entries, the tiles, the checkpoint, or the past.
func (w *walk) judge(signed *head) error {
	made, err := w.grown.root()
	if err != nil {
		return err
	}
	good := made == signed.tree.Hash
	if len(w.leaves) > 0 {
		return w.judgeLeaves(signed, good)
	}
	if len(w.faults) > 0 {
		return w.faults[0]
	}
	if !good {
		return faulty("checkpoint: signs root %s over %d leaves: entries and tiles agree on %s, another log", signed.tree.Hash, w.size, made)
	}
	if w.seen != nil && w.seen.tree.N == 0 {
		w.seenRoot, _ = (&tree{}).root()
	}
	if w.seen != nil && w.seenRoot != w.seen.tree.Hash {
		return faulty("a fork: the first %d leaves have root %s, and the earlier checkpoint signs %s", w.seen.tree.N, w.seenRoot, w.seen.tree.Hash)
	}
	return nil
}

func (w *walk) judgeLeaves(signed *head, good bool) error {
	first := w.leaves[0]
	if good {
		return faulty("%s: hash %d is not that of leaf %d, and the leaves lead to the signed root: the tile is wrong",
			first.tile, first.index%width, first.index)
	}
	if len(w.leaves) == 2 && first.made == w.leaves[1].said && first.said == w.leaves[1].made {
		return faulty("%s: leaves %d and %d stand in each other's place", first.bundle, first.index, w.leaves[1].index)
	}
	said, err := w.said.root()
	if err != nil {
		return err
	}
	if said == signed.tree.Hash {
		return faulty("%s: leaf %d is not the one logged: the tiles lead to the signed root, it does not", first.bundle, first.index)
	}
	return faulty("%s: leaf %d is not that of %s, and neither leads to the signed root", first.bundle, first.index, first.tile)
}
