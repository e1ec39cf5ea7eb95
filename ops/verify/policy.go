package main

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// policy is a tlog-policy file: whom to believe, and how many witnesses must agree.
type policy struct {
	logs      []string
	witnesses map[string]note.Verifier
	groups    map[string]group
	quorum    string
}

type group struct {
	least   int
	members []string
}

// readPolicy reads a policy file; a line it does not understand is a fault, never skipped.
func readPolicy(path string) (*policy, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &policy{witnesses: map[string]note.Verifier{}, groups: map[string]group{}}
	used := map[string]bool{}
	keys := map[string]bool{}
	for at, line := range strings.Split(string(text), "\n") {
		words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if wrong := p.take(words, used, keys); wrong != "" {
			return nil, misused("%s:%d: %s", path, at+1, wrong)
		}
	}
	if p.quorum == "" {
		return nil, misused("%s: no quorum line: expected `quorum NAME` or `quorum none`", path)
	}
	return p, nil
}

func (p *policy) take(words []string, used, keys map[string]bool) string {
	known := func(name string) bool {
		_, witness := p.witnesses[name]
		_, group := p.groups[name]
		return witness || group
	}
	switch {
	case words[0] == "log" && (len(words) == 2 || len(words) == 3):
		p.logs = append(p.logs, words[1])
	case words[0] == "witness" && (len(words) == 3 || len(words) == 4):
		verifier, err := newCosigner(words[2])
		if err != nil {
			return err.Error()
		}
		if known(words[1]) || words[1] == "none" || keys[string(verifier.key)] {
			return "`" + words[1] + "`: this name or key stands already"
		}
		keys[string(verifier.key)] = true
		p.witnesses[words[1]] = verifier
	case words[0] == "group" && len(words) >= 4:
		return p.takeGroup(words[1], words[2], words[3:], used, known)
	case words[0] == "quorum" && len(words) == 2:
		if p.quorum != "" {
			return "a second quorum: expected one"
		}
		if words[1] != "none" && !known(words[1]) {
			return "`" + words[1] + "` is not named above: expected a witness, a group or none"
		}
		p.quorum = words[1]
	default:
		return "expected a line `log`, `witness`, `group` or `quorum`"
	}
	return ""
}

func (p *policy) takeGroup(name, least string, members []string, used map[string]bool, known func(string) bool) string {
	if known(name) || name == "none" {
		return "`" + name + "` stands already"
	}
	count, err := strconv.Atoi(least)
	switch {
	case least == "any":
		count = 1
	case least == "all":
		count = len(members)
	case err != nil || count < 1 || count > len(members) || strconv.Itoa(count) != least:
		return "`" + least + "` of " + strconv.Itoa(len(members)) + " members: expected any, all or a number of them"
	}
	for _, member := range members {
		if !known(member) || used[member] {
			return "`" + member + "` is not named above, or is in a group already"
		}
		used[member] = true
	}
	p.groups[name] = group{count, members}
	return ""
}

// reached says whether those who cosigned, by identity, make the quorum.
func (p *policy) reached(cosigned map[string]bool) bool {
	return p.quorum == "none" || p.agrees(p.quorum, cosigned)
}

func (p *policy) agrees(name string, cosigned map[string]bool) bool {
	if witness, ok := p.witnesses[name]; ok {
		return cosigned[identity(witness)]
	}
	count := 0
	for _, member := range p.groups[name].members {
		if p.agrees(member, cosigned) {
			count++
		}
	}
	return count >= p.groups[name].least
}
