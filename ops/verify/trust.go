package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

const (
	algCosignature = 0x04
	timestampSize  = 8
)

// trusted is whom a checkpoint is believed from.
type trusted struct {
	origins []string
	logs    map[string]bool // name+hash of each log key
	known   note.Verifiers
	quorum  func(cosigned map[string]bool) bool
	want    string // the quorum in words, or nothing where none is asked for
}

// trust returns what the keys and the policy file say; at least one of them must name a log.
func trust(keys []string, policyFile string) (*trusted, error) {
	t := &trusted{logs: map[string]bool{}, quorum: func(map[string]bool) bool { return true }}
	var verifiers []note.Verifier
	add := func(key string) error {
		verifier, err := note.NewVerifier(key)
		if err != nil {
			return misused("--vkey `%s` is no Ed25519 verifier key: expected NAME+HASH+BASE64", key)
		}
		if !slices.Contains(t.origins, verifier.Name()) {
			t.origins = append(t.origins, verifier.Name())
		}
		if id := identity(verifier); !t.logs[id] {
			t.logs[id] = true
			verifiers = append(verifiers, verifier)
		}
		return nil
	}
	for _, key := range keys {
		if err := add(key); err != nil {
			return nil, err
		}
	}
	if policyFile != "" {
		rules, err := readPolicy(policyFile)
		if err != nil {
			return nil, err
		}
		if len(keys) == 0 {
			for _, key := range rules.logs {
				if err := add(key); err != nil {
					return nil, err
				}
			}
		}
		for _, witness := range rules.witnesses {
			verifiers = append(verifiers, witness)
		}
		t.quorum, t.want = rules.reached, rules.quorum
	}
	if len(t.origins) == 0 {
		return nil, misused("no log to believe: expected --vkey KEY, or a policy with a log line")
	}
	t.known = note.VerifierList(verifiers...)
	return t, nil
}

func identity(v note.Verifier) string { return fmt.Sprintf("%s+%08x", v.Name(), v.KeyHash()) }

// cosigner verifies Ed25519 cosignatures of checkpoints (C2SP tlog-cosignature).
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }

func (c *cosigner) Verify(body, signature []byte) bool {
	if len(signature) != timestampSize+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(signature)
	signed := append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", at)), body...)
	return at < 1<<63 && ed25519.Verify(c.key, signed, signature[timestampSize:])
}

// newCosigner reads a witness's verifier key of type 4.
func newCosigner(vkey string) (*cosigner, error) {
	name, rest, _ := strings.Cut(vkey, "+")
	hash16, key64, ok := strings.Cut(rest, "+")
	hash, err1 := hex.DecodeString(hash16)
	key, err2 := base64.StdEncoding.Strict().DecodeString(key64)
	if !ok || name == "" || err1 != nil || err2 != nil || len(hash) != 4 || len(key) != 1+ed25519.PublicKeySize {
		return nil, fmt.Errorf("`%s` is no verifier key: expected NAME+HASH+BASE64", vkey)
	}
	if key[0] != algCosignature {
		return nil, fmt.Errorf("`%s` is of type %d: expected a cosigner's, type 4", vkey, key[0])
	}
	sum := sha256.Sum256(append([]byte(name+"\n"), key...))
	if string(sum[:4]) != string(hash) {
		return nil, fmt.Errorf("`%s`: its hash is not that of its name and key", vkey)
	}
	return &cosigner{name, binary.BigEndian.Uint32(hash), key[1:]}, nil
}
