// Package apimodel holds every AWS request and reply it is shown against the official API models: members, required
// ones, types, enums, lengths, ranges, patterns and error names, at every depth. It never talks to a network and never
// changes what it looks at.
package apimodel

import (
	"fmt"
	"net/http"
	"sort"
	"strings"
	"sync"
)

// Exchange is one request over HTTP and the answer a service gave to it.
type Exchange struct {
	Service       string // signing name; "" when the request named no service the other side knows
	Operation     string // as the service understood it; "" when it did not
	Method, Path  string // Path with its query string
	RequestHeader http.Header
	RequestBody   []byte
	Status        int // 0: there was no answer
	Header        http.Header
	Body          []byte
	// Injected is the kind of a deliberate disturbance, "" when none. Answers of the kinds in Broken are no AWS replies
	// and are counted instead of checked.
	Injected string
}

// Problem is one breach of a model.
type Problem struct {
	Service, Operation string
	Where              string // request, reply or error
	Path               string // "Connection.ProviderType", "tags[0].key"; "" for the whole
	Rule               string // model, wire, unknown, required, type, enum, length, range, pattern, error, status or accepted
	Text               string
}

func (p Problem) String() string {
	path := p.Path
	if path != "" {
		path += ": "
	}
	return fmt.Sprintf("%s:%s %s: %s%s (%s)", p.Service, p.Operation, p.Where, path, p.Text, p.Rule)
}

// Validator checks exchanges and counts what it checked. It may be used by several goroutines; its fields are set before
// the first check.
type Validator struct {
	Models *Models
	// Newer names what is true of AWS but newer than the models, each in one of the forms
	//
	//	codepipeline:ListDeployActionExecutionTargets      an operation
	//	codepipeline.ActionDeclaration.commands            a member of a shape
	//	codeconnections.ProviderType=AzureDevOps           a value of an enum
	//	codeconnections:GetConnection!ThrottlingException  an error of an operation
	//	codepipeline.ActionProvider~                       a shape whose limits and pattern have changed
	//
	// What hangs below a newer member is not checked.
	Newer []string
	// Broken are the kinds of Exchange.Injected whose answer is no AWS reply. The request is checked all the same.
	Broken []string

	mu    sync.Mutex
	ready bool
	newer map[string]bool
	rep   Report
}

// Count says how often an operation was checked.
type Count struct {
	Requests int // requests that follow the model
	Replies  int // successful replies checked
	Errors   int // error replies checked
	Refused  int // requests against the model that the service itself refused as invalid, as it must
}

// Report is what a Validator has seen so far.
type Report struct {
	Exchanges  int
	Operations map[string]Count // by "service:Operation"
	Unserved   int              // exchanges that reached no operation; their error was checked
	Broken     int              // answers not checked because they were broken on purpose
	Lost       int              // requests without any answer
	Skipped    []string         // "service.Shape" whose pattern RE2 cannot express, when a value of it was met
	Newer      []string         // entries of Validator.Newer that were met
	Problems   []Problem
}

// Validated is how many operations had at least one request and one reply checked.
func (r Report) Validated() int {
	n := 0
	for _, c := range r.Operations {
		if c.Requests > 0 && c.Replies+c.Errors > 0 {
			n++
		}
	}
	return n
}

// String is the summary in one line.
func (r Report) String() string {
	var all Count
	for _, c := range r.Operations {
		all.Requests += c.Requests
		all.Replies += c.Replies
		all.Errors += c.Errors
		all.Refused += c.Refused
	}
	return fmt.Sprintf("operations served %d, validated %d, patterns skipped %d, problems %d (exchanges %d: requests %d, replies %d, errors %d, refused requests %d, broken on purpose %d, lost %d, not served %d, newer than the model %d)",
		len(r.Operations), r.Validated(), len(r.Skipped), len(r.Problems), r.Exchanges, all.Requests, all.Replies, all.Errors, all.Refused, r.Broken, r.Lost, r.Unserved, len(r.Newer))
}

// Report returns a copy of what was seen so far, lists in order.
func (v *Validator) Report() Report {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.rep
	r.Operations = map[string]Count{}
	for k, c := range v.rep.Operations {
		r.Operations[k] = c
	}
	r.Skipped, r.Newer = sorted(v.rep.Skipped), sorted(v.rep.Newer)
	r.Problems = append([]Problem(nil), v.rep.Problems...)
	return r
}

func sorted(all []string) []string {
	out := append([]string(nil), all...)
	sort.Strings(out)
	return out
}

func (v *Validator) prepare() {
	if v.ready {
		return
	}
	v.newer = map[string]bool{}
	for _, n := range v.Newer {
		v.newer[n] = true
	}
	v.rep.Operations = map[string]Count{}
	v.ready = true
}

// Check holds one exchange against the model and returns what is wrong with it; the problems are kept for Report.
func (v *Validator) Check(x Exchange) []Problem {
	v.mu.Lock()
	v.prepare()
	v.mu.Unlock()
	k := &check{v: v, x: x}
	k.exchange()
	sort.SliceStable(k.problems, func(i, j int) bool { return k.problems[i].String() < k.problems[j].String() })
	v.mu.Lock()
	defer v.mu.Unlock()
	v.rep.Exchanges++
	v.rep.Problems = append(v.rep.Problems, k.problems...)
	v.rep.Skipped = merge(v.rep.Skipped, k.skipped)
	v.rep.Newer = merge(v.rep.Newer, k.newer)
	v.rep.Unserved += k.unserved
	v.rep.Broken += k.broken
	v.rep.Lost += k.lost
	if k.counted {
		name := x.Service + ":" + x.Operation
		c := v.rep.Operations[name]
		c.Requests += k.count.Requests
		c.Replies += k.count.Replies
		c.Errors += k.count.Errors
		c.Refused += k.count.Refused
		v.rep.Operations[name] = c
	}
	return k.problems
}

func merge(have, more []string) []string {
	for _, m := range more {
		found := false
		for _, h := range have {
			found = found || h == m
		}
		if !found {
			have = append(have, m)
		}
	}
	return have
}

func (v *Validator) isBroken(kind string) bool {
	for _, b := range v.Broken {
		if b == kind {
			return true
		}
	}
	return false
}

// at is a place in a value, linked to the place around it, so that a path is spelled only when there is a problem.
type at struct {
	up    *at
	name  string
	index int
}

func (a *at) String() string {
	var parts []string
	for ; a != nil; a = a.up {
		if a.name != "" {
			parts = append(parts, "."+a.name)
		} else {
			parts = append(parts, fmt.Sprintf("[%d]", a.index))
		}
	}
	var b strings.Builder
	for i := len(parts) - 1; i >= 0; i-- {
		b.WriteString(parts[i])
	}
	return strings.TrimPrefix(b.String(), ".")
}
