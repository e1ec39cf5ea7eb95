package main

import (
	"crypto/sha256"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
)

// tree grows leaf by leaf and keeps, of each level of tiles, only the one that is not full.
type tree struct {
	size    int64
	pending [][]byte // by level: the hashes of the tile under way
	closed  []int64  // by level: how many tiles are full
	// full is told each tile that has become full, before it is forgotten.
	full func(level int, number int64, hashes []byte) error
}

// add puts the hash of the next leaf in.
func (t *tree) add(leaf tlog.Hash) error {
	t.size++
	return t.put(0, leaf)
}

func (t *tree) put(level int, hash tlog.Hash) error {
	if level == len(t.pending) {
		t.pending, t.closed = append(t.pending, nil), append(t.closed, 0)
	}
	t.pending[level] = append(t.pending[level], hash[:]...)
	tile := t.pending[level]
	if len(tile) < width*tlog.HashSize {
		return nil
	}
	if t.full != nil {
		if err := t.full(level, t.closed[level], tile); err != nil {
			return err
		}
	}
	t.pending[level] = tile[:0]
	t.closed[level]++
	return t.put(level+1, above(tile))
}

// above returns the hash over a full tile.
func above(hashes []byte) tlog.Hash {
	if len(hashes) == tlog.HashSize {
		return tlog.Hash(hashes)
	}
	half := len(hashes) / 2
	return tlog.NodeHash(above(hashes[:half]), above(hashes[half:]))
}

// root returns the root over all leaves so far.
func (t *tree) root() (tlog.Hash, error) {
	if t.size == 0 {
		return sha256.Sum256(nil), nil
	}
	return tlog.TreeHash(t.size, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			tile := tlog.TileForIndex(height, index)
			if tile.L >= len(t.pending) || tile.N != t.closed[tile.L] {
				return nil, fmt.Errorf("%s is not under way", tile.Path())
			}
			hash, err := tlog.HashFromTile(tile, t.pending[tile.L], index)
			if err != nil {
				return nil, err
			}
			found[i] = hash
		}
		return found, nil
	}))
}
