package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

func vectors(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "tests", "vectors", name))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

type publishedLog struct {
	Vkey        string            `json:"vkey"`
	Checkpoints map[string]string `json:"checkpoints"`
	Tiles       map[string][]byte `json:"tiles_base64"`
	Bundles     map[string][]byte `json:"entry_bundles_base64"`
}

func (p *publishedLog) lay(t *testing.T, size int) string {
	dir := t.TempDir()
	write := func(path, content string) {
		path = filepath.Join(dir, path)
		if os.MkdirAll(filepath.Dir(path), 0o755) != nil || os.WriteFile(path, []byte(content), 0o644) != nil {
			t.Fatal(path)
		}
	}
	write("checkpoint", p.Checkpoints[fmt.Sprint(size)])
	for path, data := range p.Tiles {
		write(path, string(data))
	}
	for path, data := range p.Bundles {
		write(path, string(data))
	}
	return dir
}

func says(args ...string) (int, string) {
	var out, complaints bytes.Buffer
	code := run(args, &out, &complaints)
	return code, out.String() + complaints.String()
}

func TestALogOfTesseraIsFoundGoodAtEverySize(t *testing.T) {
	var log publishedLog
	vectors(t, "tlog/tessera-log.json", &log)
	for size := range log.Checkpoints {
		var n int
		fmt.Sscan(size, &n)
		dir := log.lay(t, n)
		for earlier := 0; earlier <= 15; earlier++ {
			since := filepath.Join(t.TempDir(), "earlier")
			os.WriteFile(since, []byte(log.Checkpoints[fmt.Sprint(earlier)]), 0o644)
			code, said := says("folder", dir, "--vkey", log.Vkey, "--since", since)
			if earlier <= n && code != exitFine || earlier > n && (code != exitFaulty || !strings.Contains(said, "rolled back")) {
				t.Errorf("size %d since %d: exit %d, %s", n, earlier, code, said)
			}
		}
	}
}

func TestInclusionIsJudgedAsPublished(t *testing.T) {
	var cases []struct {
		Desc, File        string
		LeafIdx, TreeSize uint64
		Root, LeafHash    []byte
		Proof             [][]byte
		WantErr           bool
	}
	vectors(t, "merkle/inclusion.json", &cases)
	for _, c := range cases {
		good := len(c.Root) == tlog.HashSize && len(c.LeafHash) == tlog.HashSize && c.LeafIdx < 1<<63 && c.TreeSize < 1<<63
		p := &proof{index: int64(c.LeafIdx)}
		for _, hash := range c.Proof {
			if good = good && len(hash) == tlog.HashSize; good {
				p.path = append(p.path, tlog.Hash(hash))
			}
		}
		good = good && p.leadsTo("", tlog.Tree{N: int64(c.TreeSize), Hash: tlog.Hash(c.Root)}, tlog.Hash(c.LeafHash)) == nil
		if good == c.WantErr {
			t.Errorf("%s (%s): found good: %v", c.File, c.Desc, good)
		}
	}
}

func TestProofFilesAreReadAsPublished(t *testing.T) {
	var cases struct {
		Marshal []struct {
			Name, Proof, Checkpoint string
			Index                   int64
			Hashes                  [][]byte
			Extra                   *string `json:"extra_base64"`
		}
		Reject []struct {
			Name, Proof string
			Prefix      string `json:"proof_prefix"`
			Repeat      string `json:"then_repeat"`
			Times       int
			Suffix      string `json:"proof_suffix"`
		}
	}
	vectors(t, "tlog/proof-cases.json", &cases)
	for _, c := range cases.Marshal {
		p, err := parseProof("proof", c.Proof)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		same := p.index == c.Index && p.checkpoint == c.Checkpoint && len(p.path) == len(c.Hashes) && p.hasExtra == (c.Extra != nil)
		for i, hash := range c.Hashes {
			same = same && bytes.Equal(hash, p.path[i][:])
		}
		if c.Extra != nil {
			same = same && base64.StdEncoding.EncodeToString(p.extra) == *c.Extra
		}
		if !same {
			t.Errorf("%s: read as %+v", c.Name, p)
		}
	}
	for _, c := range cases.Reject {
		if p, err := parseProof("proof", c.Proof+c.Prefix+strings.Repeat(c.Repeat, c.Times)+c.Suffix); err == nil {
			t.Errorf("%s: read as %+v", c.Name, p)
		}
	}
}

// witnessKey returns the verifier key and the private key of a made-up witness.
func witnessKey(name string) (string, ed25519.PrivateKey) {
	seed := sha256.Sum256([]byte(name))
	private := ed25519.NewKeyFromSeed(seed[:])
	key := append([]byte{algCosignature}, private.Public().(ed25519.PublicKey)...)
	id := sha256.Sum256(append([]byte(name+"\n"), key...))
	return name + "+" + hex.EncodeToString(id[:4]) + "+" + base64.StdEncoding.EncodeToString(key), private
}

func cosign(name, body string, at uint64) string {
	vkey, private := witnessKey(name)
	signature := binary.BigEndian.AppendUint64(nil, at)
	signature = append(signature, ed25519.Sign(private, []byte(fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, body)))...)
	id, _ := hex.DecodeString(strings.Split(vkey, "+")[1])
	return "— " + name + " " + base64.StdEncoding.EncodeToString(append(id, signature...)) + "\n"
}

func TestAQuorumIsCountedAsThePolicySays(t *testing.T) {
	var log publishedLog
	vectors(t, "tlog/tessera-log.json", &log)
	body, _, _ := strings.Cut(log.Checkpoints["7"], "\n\n")
	keys := ""
	for _, name := range []string{"a", "b", "c"} {
		vkey, _ := witnessKey("w.example/" + name)
		keys += "witness " + name + " " + vkey + "\n"
	}
	rules := map[string]string{
		"none":  keys + "quorum none\n",
		"one":   "# a witness\n" + keys + "\n\tquorum a\n",
		"two":   keys + "group g 2 a b c\nquorum g\n",
		"all":   keys + "group g all a b c\nquorum g\n",
		"inner": keys + "group x any a b\ngroup g all x c\nquorum g\n",
	}
	table := []struct {
		rule, cosigners string
		good            bool
	}{
		{"none", "", true}, {"one", "", false}, {"one", "b", false}, {"one", "a", true}, {"two", "a", false}, {"two", "ca", true},
		{"two", "aa", false}, {"all", "ab", false}, {"all", "cab", true}, {"inner", "ab", false}, {"inner", "bc", true},
	}
	for _, c := range table {
		dir := log.lay(t, 7)
		text := log.Checkpoints["7"]
		for _, name := range c.cosigners {
			text += cosign("w.example/"+string(name), body+"\n", 1_700_000_000)
		}
		os.WriteFile(filepath.Join(dir, "checkpoint"), []byte(text), 0o644)
		file := filepath.Join(dir, "policy")
		os.WriteFile(file, []byte("log "+log.Vkey+"\n"+rules[c.rule]), 0o644)
		code, said := says("folder", dir, "--policy", file)
		if c.good != (code == exitFine) || !c.good && !strings.Contains(said, "do not make the quorum") {
			t.Errorf("%s cosigned by `%s`: exit %d, %s", c.rule, c.cosigners, code, said)
		}
	}
}

func TestAPolicyThatIsNotUnderstoodIsRefused(t *testing.T) {
	a, _ := witnessKey("w.example/a")
	b, _ := witnessKey("w.example/b")
	logKey := "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
	for text, expected := range map[string]string{
		"witness a " + a + "\n":      "no quorum line",
		"quorum a\n":                 "not named above",
		"quorum none\nquorum none\n": "a second quorum",
		"witness a " + a + "\nwitness a " + b + "\nquorum a\n":                      "stands already",
		"witness a " + a + "\nwitness b " + a + "\nquorum a\n":                      "stands already",
		"witness none " + a + "\nquorum none\n":                                     "stands already",
		"witness a " + logKey + "\nquorum a\n":                                      "expected a cosigner's",
		"witness a " + strings.Replace(a, "+", "+0", 1) + "\nquorum a\n":            "no verifier key",
		"witness a " + strings.Replace(a, "w.", "v.", 1) + "\nquorum a\n":           "its hash is not that",
		"witness a " + a + "\ngroup g 2 a\nquorum g\n":                              "expected any, all",
		"witness a " + a + "\ngroup g 0 a\nquorum g\n":                              "expected any, all",
		"witness a " + a + "\ngroup g 01 a\nquorum g\n":                             "expected any, all",
		"witness a " + a + "\ngroup g all a a\nquorum g\n":                          "in a group already",
		"witness a " + a + "\ngroup g all h\ngroup h all a\nquorum g\n":             "not named above",
		"witness a " + a + "\ngroup g all a\ngroup h all a g\nquorum g\n":           "in a group already",
		"trust everybody\nquorum none\n":                                            "expected a line",
		"witness a " + a + " http://w.example/ more\nquorum a\n":                    "expected a line",
		"witness a " + a + " http://w.example/\ngroup a all a\nquorum a\n":          "stands already",
		"witness a " + a + "\ngroup g any a\nquorum g h\n":                          "expected a line",
		"witness a " + a + "\ngroup g any a\nquorum g\nwitness b " + a + "\n":       "stands already",
		"witness a " + a + "\nwitness b " + b + "\ngroup g 3 a b\nquorum g\n":       "expected any, all",
		"witness a " + a + "\nwitness b " + b + "\ngroup g most a b\nquorum none\n": "expected any, all",
	} {
		file := filepath.Join(t.TempDir(), "policy")
		os.WriteFile(file, []byte(text), 0o644)
		_, err := readPolicy(file)
		if err == nil || !strings.Contains(err.Error(), expected) {
			t.Errorf("%q: %v, expected %q", text, err, expected)
		}
	}
}

func TestWrongUsageSaysWhatIsExpected(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		said string
	}{
		{[]string{}, exitFine, "usage:"},
		{[]string{"folder", "--help"}, exitFine, "usage:"},
		{[]string{"fold"}, exitUsage, "no verb"},
		{[]string{"folder"}, exitUsage, "expected one folder or file"},
		{[]string{"folder", "a", "b"}, exitUsage, "2 names given"},
		{[]string{"folder", "a", "--record", "b"}, exitUsage, "not defined"},
		{[]string{"folder", "a"}, exitUsage, "no log to believe"},
		{[]string{"folder", "a", "--vkey", "key"}, exitUsage, "no Ed25519 verifier key"},
		{[]string{"folder", "a", "--policy", "nowhere"}, exitNotRun, "no such file"},
	} {
		if code, said := says(c.args...); code != c.code || !strings.Contains(said, c.said) {
			t.Errorf("%v: exit %d, %s", c.args, code, said)
		}
	}
}
