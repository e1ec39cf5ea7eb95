// Verify checks a provenance log of placet without anything of placet: only the published formats (RFC 6962,
// C2SP tlog-tiles, signed-note, tlog-checkpoint, tlog-cosignature, tlog-policy, tlog-proof) and Go's own library for
// transparency logs.
//
//	verify folder DIR  --vkey KEY [--since CHECKPOINT] [--policy FILE] [--json]
//	verify proof  FILE --vkey KEY [--record FILE] [--policy FILE] [--json]
//
// It ends with 0 when everything holds, 1 when it could not look, 2 on wrong usage, 3 when something is faulty.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

const usageText = `usage:
  verify folder DIR  --vkey KEY [--since CHECKPOINT] [--policy FILE] [--json]
      Rebuild the tree from the entry bundles, compare every tile, and check the signed checkpoint.
      --since takes a checkpoint seen earlier: a log that is shorter, or another, is refused.
  verify proof FILE --vkey KEY [--record FILE] [--policy FILE] [--json]
      Check a tlog-proof. The record is what the proof carries as extra data, or the file of --record.

  --vkey KEY     the log's verifier key, NAME+HASH+BASE64; may be given again for a key that follows it
  --policy FILE  a C2SP tlog-policy: which logs are believed, and which witnesses must have cosigned

exit codes: 0 fine, 1 could not look, 2 wrong usage, 3 found faulty
`

const (
	exitFine   = 0
	exitNotRun = 1
	exitUsage  = 2
	exitFaulty = 3
)

// A fault is a sentence about what does not hold: what, where, and what was expected.
type fault struct{ sentence string }

func (f *fault) Error() string { return f.sentence }

func faulty(format string, args ...any) error { return &fault{fmt.Sprintf(format, args...)} }

// A misuse is a command line that cannot be meant.
type misuse struct{ sentence string }

func (m *misuse) Error() string { return m.sentence }

func misused(format string, args ...any) error { return &misuse{fmt.Sprintf(format, args...)} }

type keyList []string

func (k *keyList) String() string { return strings.Join(*k, " ") }

func (k *keyList) Set(value string) error {
	*k = append(*k, value)
	return nil
}

type options struct {
	keys                  keyList
	since, policy, record string
	json                  bool
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the whole program: it returns the exit code.
func run(args []string, out, complaints io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		fmt.Fprint(out, usageText)
		return exitFine
	}
	given, target, err := read(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(out, usageText)
		return exitFine
	}
	var report map[string]any
	if err == nil {
		report, err = check(args[0], target, given)
	}
	if err != nil {
		return refuse(err, given.json, out, complaints)
	}
	if given.json {
		report["result"] = "fine"
		json.NewEncoder(out).Encode(report)
		return exitFine
	}
	fmt.Fprintf(out, "fine: %v\n", report["says"])
	return exitFine
}

func check(verb, target string, given options) (map[string]any, error) {
	trusted, err := trust(given.keys, given.policy)
	if err != nil {
		return nil, err
	}
	if verb == "folder" {
		return checkFolder(target, trusted, given.since)
	}
	return checkProof(target, trusted, given.record)
}

func refuse(err error, asJSON bool, out, complaints io.Writer) int {
	code := exitNotRun
	var asFault *fault
	var asMisuse *misuse
	switch {
	case errors.As(err, &asFault):
		code = exitFaulty
		fmt.Fprintf(complaints, "refused: %v\n", err)
	case errors.As(err, &asMisuse):
		code = exitUsage
		fmt.Fprintf(complaints, "error: %v\n%s", err, usageText)
	default:
		fmt.Fprintf(complaints, "error: %v\n", err)
	}
	if asJSON {
		json.NewEncoder(out).Encode(map[string]any{"result": "refused", "error": err.Error(), "exit": code})
	}
	return code
}

// read returns the options and the one folder or file of a command line; options may stand before it or behind it.
func read(args []string) (options, string, error) {
	var given options
	verb, rest := args[0], args[1:]
	if verb != "folder" && verb != "proof" {
		return given, "", misused("`%s` is no verb: expected folder or proof", verb)
	}
	flags := flag.NewFlagSet(verb, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Var(&given.keys, "vkey", "")
	flags.StringVar(&given.policy, "policy", "", "")
	flags.BoolVar(&given.json, "json", false, "")
	if verb == "folder" {
		flags.StringVar(&given.since, "since", "", "")
	} else {
		flags.StringVar(&given.record, "record", "", "")
	}
	var targets []string
	for {
		if err := flags.Parse(rest); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return given, "", err
			}
			return given, "", misused("%v", err)
		}
		if flags.NArg() == 0 {
			break
		}
		targets, rest = append(targets, flags.Arg(0)), flags.Args()[1:]
	}
	if len(targets) != 1 {
		return given, "", misused("%s: %d names given: expected one folder or file", verb, len(targets))
	}
	return given, targets[0], nil
}
