// Package config simulates AWS Config: recorders that write down what pipelines and roles looked like after each change, late.
// It never records a connection, and nothing while no recorder is on.
package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/codepipeline"
	"github.com/unjam/unjam/lab/svc/iam"
)

// Service is AWS Config in every account and Region. It is guarded by the cloud's lock.
type Service struct {
	c         *cloud.Cloud
	pipelines *codepipeline.Service
	roles     *iam.Service
	recorders map[place]*recorder

	// Delay is how long after a change it is written down; changes that follow each other within it become one item.
	// AWS names no figure; the default is 90 seconds.
	Delay time.Duration
}

type place struct{ account, region string }

// New registers the service on a cloud. No account has a recorder at first, as at AWS.
func New(c *cloud.Cloud, pipelines *codepipeline.Service, roles *iam.Service) *Service {
	s := &Service{c: c, pipelines: pipelines, roles: roles, recorders: map[place]*recorder{}, Delay: 90 * time.Second}
	c.OnChange(s.notice)
	s.register()
	return s
}

// Setting is how a recorder is set up.
type Setting struct {
	Account, Region string
	Types           []string // recorded resource types; none means all that the lab records
	Daily           bool     // once in 24 hours instead of after every change
	Full            bool     // items of pipelines carry members beyond the published schema, as action configurations
}

// recorder is the one recorder that an account can have in a Region.
type recorder struct {
	Setting
	on               bool
	made             time.Time
	started, stopped time.Time // last; zero: never
	histories        []*history
}

// Start makes a recorder and turns it on, or changes the one that is there. What exists by then is discovered, with the
// service's delay. A type that the lab does not record is an error.
func (s *Service) Start(set Setting) error {
	for _, t := range set.Types {
		if !slices.Contains(recorded(), t) {
			return fmt.Errorf("start recorder: the lab records no %q, only %v", t, recorded())
		}
	}
	at := place{set.Account, set.Region}
	r := s.recorders[at]
	if r == nil {
		r = &recorder{made: s.c.Now()}
		s.recorders[at] = r
	}
	r.Setting, r.on, r.started = set, true, s.c.Now()
	s.c.After(s.Delay, func() { s.discover(r) })
	return nil
}

// Resume turns an account's recorder in a Region on again, or makes one of all types where there is none.
func (s *Service) Resume(account, region string) {
	set := Setting{Account: account, Region: region}
	if r := s.recorders[place{account, region}]; r != nil {
		set = r.Setting
	}
	_ = s.Start(set) // a setting that was accepted before, or one of all types: it cannot fail
}

// Stop turns a recorder off: from now on nothing is written down, nor what is still waiting to be.
func (s *Service) Stop(account, region string) error {
	r := s.recorders[place{account, region}]
	if r == nil || !r.on {
		return fmt.Errorf("stop recorder: none is on in account %s, Region %s", account, region)
	}
	r.on, r.stopped = false, s.c.Now()
	return nil
}

// Recorders lists the Regions in which an account has a recorder, sorted.
func (s *Service) Recorders(account string) []string {
	var all []string
	for at := range s.recorders {
		if at.account == account {
			all = append(all, at.region)
		}
	}
	slices.Sort(all)
	return all
}

// notice is told of every change, and has the recorders concerned write it down when it is due.
func (s *Service) notice(ch cloud.Change) {
	for _, r := range s.recorders {
		if r.Account != ch.Account || (ch.Region != "" && ch.Region != r.Region) || !r.takes(ch.Type) || !r.on {
			continue
		}
		s.c.At(s.due(r), func() { s.record(r, ch.Type, ch.Name) })
	}
}

// due is when a change of now is written down: after the delay, or at the end of the recorder's day.
func (s *Service) due(r *recorder) time.Time {
	if !r.Daily {
		return s.c.Now().Add(s.Delay)
	}
	days := s.c.Now().Sub(r.started)/(24*time.Hour) + 1
	return r.started.Add(days * 24 * time.Hour)
}

// takes reports whether a recorder records a type.
func (r *recorder) takes(kind string) bool {
	return slices.Contains(recorded(), kind) && (len(r.Types) == 0 || slices.Contains(r.Types, kind))
}

// discover writes down everything there is, and what is gone since the recorder was off.
func (s *Service) discover(r *recorder) {
	for _, kind := range recorded() {
		if !r.takes(kind) {
			continue
		}
		names := s.names(kind, r.Account, r.Region)
		for _, h := range r.histories {
			if h.kind == kind && !slices.Contains(names, h.name) {
				names = append(names, h.name)
			}
		}
		for _, n := range names {
			s.record(r, kind, n)
		}
	}
}
