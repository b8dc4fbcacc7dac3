// Package app wires the use cases: who am I, diagnose, plan, apply, resume. It owns goroutines and time. It never prints and never
// knows a flag.
package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/collect"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/resolve"
)

// Config says as whom and where to work.
type Config struct {
	Profile, RoleARN, EndpointURL string
	Regions                       []string // --region; nil: the session's own; "all": every enabled Region
	Home                          string   // state folder
	Version                       string
	Console                       string            // base URL of the console pages; "" is AWS's own
	Transport                     http.RoundTripper // nil: the network
	Keys                          *awsapi.Keys      // nil: the SDK's own chain
	Code                          func() (string, error)
	Resolvers                     []string              // --resolver; nil: the system's own
	DialDNS                       resolve.Dial          // how resolvers are reached; nil: the network, or not at all where Transport takes its place
	OnWait                        func(until time.Time) // told when reads refused to a session of just now are asked for again; may be nil
}

// App is one session with one account. Close it.
type App struct {
	cfg       Config
	session   *awsapi.Session
	collector *collect.Collector
}

// Open opens the session; no AWS call is made except those that credentials need.
func Open(ctx context.Context, cfg Config) (*App, error) {
	o := awsapi.Options{
		Profile: cfg.Profile, RoleARN: cfg.RoleARN, EndpointURL: cfg.EndpointURL, Version: cfg.Version,
		Transport: cfg.Transport, Keys: cfg.Keys, Code: cfg.Code, OnWait: cfg.OnWait,
	}
	if len(cfg.Regions) > 0 && cfg.Regions[0] != "all" {
		o.Region = cfg.Regions[0]
	}
	s, err := awsapi.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	a := &App{cfg: cfg, session: s, collector: collect.New(s)}
	if cfg.Transport == nil || cfg.DialDNS != nil {
		names, err := resolve.New(cfg.Resolvers, cfg.DialDNS)
		if err != nil && len(cfg.Resolvers) > 0 {
			return nil, err
		}
		a.collector.Names = names // none where the system names no resolver: what is asked of it becomes gaps that say so
	}
	return a, nil
}

// Close drops idle connections.
func (a *App) Close() { a.session.Close() }

// Region is the session's own Region.
func (a *App) Region() string { return a.session.Region() }

// MismatchError is a target that is not where the session is: said before anything else, since it explains most "not found".
type MismatchError struct {
	What, Want, Have string
	Hint             string
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("%s is in account %s, these credentials are of account %s%s", e.What, e.Want, e.Have, e.Hint)
}

// NotFoundError is a target that AWS does not know in the account and Region asked.
type NotFoundError struct {
	What                  string // pipeline or execution
	Name, Account, Region string
	Near                  []string // names that look alike
	Elsewhere             []string // Regions of the account that have one of this very name
}

func (e *NotFoundError) Error() string {
	m := fmt.Sprintf("find %s %q: there is none in account %s, Region %s", e.What, e.Name, e.Account, e.Region)
	if len(e.Elsewhere) > 0 {
		return m + "; there is one in " + strings.Join(e.Elsewhere, " and ") + ": try --region " + e.Elsewhere[0]
	}
	if len(e.Near) > 0 {
		m += "; did you mean " + strings.Join(e.Near, " or ") + "?"
	}
	return m
}

// Identity reads who the session is.
func (a *App) Identity(ctx context.Context) (fact.Identity, error) {
	b := fact.NewBuilder(fact.Question{})
	q := fact.Query{Scope: fact.Scope{Region: a.session.Region()}, Kind: fact.KindIdentity}
	a.collector.Collect(ctx, b, []fact.Query{q})
	s := b.Seal(time.Now())
	for i := range fact.All[fact.Identity](s) {
		return i, nil
	}
	for _, g := range s.Gaps() {
		return fact.Identity{}, &GapError{Gap: g}
	}
	return fact.Identity{}, errors.New("read identity: AWS gave no answer")
}

// GapError is a gap without which nothing can go on.
type GapError struct{ Gap fact.Gap }

func (e *GapError) Error() string { return e.Gap.Why }

// question turns what was asked into a Question: the account is the caller's, the Regions are the asked ones or the targets' own.
func (a *App) question(ctx context.Context, who fact.Identity, ask Ask, b *fact.Builder) (fact.Question, error) {
	q := fact.Question{Account: who.Account, Targets: ask.Targets, Principals: ask.Principals, Quick: ask.Quick, Drift: ask.Drift, Paid: ask.Paid, Console: a.cfg.Console}
	for _, t := range ask.Targets {
		if t.Account != "" && t.Account != who.Account && t.Kind == fact.KindPipeline {
			return q, &MismatchError{What: "pipeline " + t.Name, Want: t.Account, Have: who.Account, Hint: a.profileHint(ctx, t.Account)}
		}
	}
	q.Targets = withAccount(q.Targets, who)
	all := len(a.cfg.Regions) == 1 && a.cfg.Regions[0] == "all"
	switch {
	case all:
		rs, err := a.enabledRegions(ctx, who.Account, b)
		if err != nil {
			return q, err
		}
		q.Regions = rs
	case len(a.cfg.Regions) > 0:
		q.Regions = slices.Clone(a.cfg.Regions)
	}
	for _, t := range ask.Targets {
		if t.Region != "" && (t.Kind == fact.KindPipeline || t.Kind == fact.KindManagedCertificate) && !slices.Contains(q.Regions, t.Region) {
			q.Regions = append([]string{t.Region}, q.Regions...)
		}
	}
	if len(q.Regions) == 0 {
		q.Regions = []string{a.session.Region()}
	}
	for _, t := range ask.Targets { // the pipeline that deploys a stack is mostly in the stack's Region
		if t.Kind == fact.KindStackState && !slices.Contains(q.Regions, t.Region) {
			q.Regions = append(q.Regions, t.Region)
		}
	}
	return q, nil
}

// withAccount completes targets that a console URL names without an account: it is the caller's.
func withAccount(targets []fact.Target, who fact.Identity) []fact.Target {
	targets = slices.Clone(targets)
	for i, t := range targets {
		if t.Kind == fact.KindManagedCertificate && strings.HasPrefix(t.Name, "certificate/") {
			a := fact.ARN{Partition: fact.Partition(t.Region), Service: "acm", Region: t.Region, Account: who.Account, Resource: t.Name}
			targets[i].Name, targets[i].Account = a.String(), who.Account
		}
	}
	return targets
}

// enabledRegions are the account's enabled Regions, the session's own first.
func (a *App) enabledRegions(ctx context.Context, account string, b *fact.Builder) ([]string, error) {
	q := fact.Query{Scope: fact.Scope{Account: account}, Kind: fact.KindRegion}
	a.collector.Collect(ctx, b, []fact.Query{q})
	s := b.Seal(time.Now())
	if g, ok := s.GapOf(q); ok {
		return nil, fmt.Errorf("list Regions for --region all: %s", g.Why)
	}
	names := []string{a.session.Region()}
	for r := range fact.All[fact.Region](s) {
		if r.Enabled() && !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	return names, nil
}
