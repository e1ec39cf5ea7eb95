package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// place returns where a tile lies (C2SP tlog-tiles); level -1 are the entries.
func place(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
	return "tile/" + strings.Replace(path, "data/", "entries/", 1)
}

// listing is what lies in the folder of a log.
type listing struct {
	widths  map[tlog.Tile][]int // by tile, its width left out: the partial widths that are there
	ahead   int                 // files that belong to leaves beyond the checkpoint
	strange int                 // files that are no tile
}

// list names every file below `tile/`.
func list(dir string, size int64) (*listing, error) {
	found := &listing{widths: map[tlog.Tile][]int{}}
	root := filepath.Join(dir, "tile")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if errors.Is(err, fs.ErrNotExist) && path == root {
				return fs.SkipAll
			}
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name = strings.Replace(filepath.ToSlash(name), "entries/", "data/", 1)
		tile, err := tlog.ParseTilePath(fmt.Sprintf("tile/%d/%s", height, name))
		if err != nil {
			found.strange++
			return nil
		}
		if tile.N<<height+int64(tile.W) > size>>(height*max(tile.L, 0)) {
			found.ahead++
			return nil
		}
		if tile.W < width {
			key := tile
			key.W = 0
			found.widths[key] = append(found.widths[key], tile.W)
		}
		return nil
	})
	return found, err
}

// checkFolder rebuilds the tree of a log from its entries and returns what was found good.
func checkFolder(dir string, t *trusted, since string) (map[string]any, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s: no folder: expected that of a log", dir)
	}
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, faulty("checkpoint: missing")
	} else if err != nil {
		return nil, err
	}
	signed, err := t.open("checkpoint", text)
	if err != nil {
		return nil, err
	}
	seen, err := seenEarlier(t, since, signed)
	if err != nil {
		return nil, err
	}
	files, err := list(dir, signed.tree.N)
	if err != nil {
		return nil, err
	}
	w := &walk{dir: dir, size: signed.tree.N, files: files, seen: seen}
	if err := w.run(); err != nil {
		return nil, err
	}
	if err := w.judge(signed); err != nil {
		return nil, err
	}
	return map[string]any{
		"says": fmt.Sprintf("%d leaves of %s, signed by %s; %d tiles and %d entry bundles agree; %d files beyond the checkpoint and %d that are no tile were not looked at",
			signed.tree.N, signed.origin, strings.Join(signed.signers, ", "), w.tiles, w.bundles, files.ahead, files.strange),
		"origin": signed.origin, "size": signed.tree.N, "root": signed.tree.Hash.String(), "signers": signed.signers,
		"tiles": w.tiles, "bundles": w.bundles, "ahead": files.ahead, "strange": files.strange,
	}, nil
}

// seenEarlier opens the checkpoint of `--since`, and refuses a log that is shorter now.
func seenEarlier(t *trusted, since string, now *head) (*head, error) {
	if since == "" {
		return nil, nil
	}
	text, err := os.ReadFile(since)
	if err != nil {
		return nil, err
	}
	seen, err := t.open(since, text)
	if err != nil {
		return nil, err
	}
	if seen.origin != now.origin {
		return nil, faulty("%s: of `%s`: expected an earlier checkpoint of `%s`", since, seen.origin, now.origin)
	}
	if seen.tree.N > now.tree.N {
		return nil, faulty("checkpoint: %d leaves, and %s signs %d: the log was rolled back", now.tree.N, since, seen.tree.N)
	}
	return seen, nil
}

// content reads the file of a tile that must be there: the partial one, or the full one that has followed it.
func (w *walk) content(tile tlog.Tile) ([]byte, string, error) {
	path := place(tile)
	data, err := os.ReadFile(filepath.Join(w.dir, path))
	if errors.Is(err, fs.ErrNotExist) && tile.W < width {
		full := tile
		full.W = width
		if data, fallback := os.ReadFile(filepath.Join(w.dir, place(full))); fallback == nil {
			return data, place(full), nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, path, faulty("%s: missing: the checkpoint of %d leaves needs it", path, w.size)
	}
	return data, path, err
}
