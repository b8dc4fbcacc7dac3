// Package iam is the lab's Identity and Access Management: roles, users, policies, their evaluation and simulation, and the
// authoriser of every call the lab serves. It never grants by default: who has no policy may do nothing.
package iam

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/policy"
)

// Service is the state of IAM in every account. It is guarded by the cloud's lock.
type Service struct {
	c          *cloud.Cloud
	entities   map[entityKey]*cloud.Lagged[Entity]
	managed    map[string]*cloud.Lagged[Managed] // by ARN
	scps       map[string][]named                // by account ID
	rcps       map[string][]named                // by account ID
	orgs       []Organization
	onResource map[string]guarded          // resource-based policies by ARN
	parsed     map[string]*policy.Document // by kind and text
}

type entityKey struct{ account, kind, name string }

// named is a policy of the organisation: id is its name, text its document.
type named struct{ id, arn, text string }

// Entity is a role or a user as it stood at one time. It is a value: an edit makes a new one.
type Entity struct {
	Kind, Account, Name, Path, ID, ARN string // Kind: role or user
	Created                            time.Time
	Description                        string
	MaxSession                         int               // seconds; roles only
	Trust                              string            // JSON; roles only
	Inline                             map[string]string // policy name to JSON
	Attached                           []string          // managed policy ARNs, in order of attachment
	Boundary                           string            // managed policy ARN, "" for none
	Tags                               map[string]string
}

// Role is a role.
type Role = Entity

// Managed is a managed policy: the customer's, or AWS's own under arn:aws:iam::aws:policy/.
type Managed struct {
	Name, Path, ID, ARN, Description string
	Created, Updated                 time.Time
	Versions                         []string    // JSON; the first is v1, "" one that was deleted
	Made                             []time.Time // of each version; none for AWS's own, which are as old as the policy
	Default                          int         // version in force, from 1
}

// Document is the version in force.
func (m Managed) Document() string { return m.Versions[m.Default-1] }

// New returns an IAM without customers, registers it and makes it the cloud's authoriser.
func New(c *cloud.Cloud) *Service {
	s := &Service{
		c:          c,
		entities:   map[entityKey]*cloud.Lagged[Entity]{},
		managed:    map[string]*cloud.Lagged[Managed]{},
		scps:       map[string][]named{},
		rcps:       map[string][]named{},
		onResource: map[string]guarded{},
		parsed:     map[string]*policy.Document{},
	}
	s.register()
	c.SetAuthorizer(s)
	return s
}

func keyOf(account, kind, name string) entityKey {
	return entityKey{account, kind, strings.ToLower(name)} // IAM names are unique without case
}

func (s *Service) slot(account, kind, name string) *cloud.Lagged[Entity] {
	k := keyOf(account, kind, name)
	if s.entities[k] == nil {
		s.entities[k] = &cloud.Lagged[Entity]{}
	}
	return s.entities[k]
}

// truth is an entity as written last; seen is the entity as readers and the authoriser see it.
func (s *Service) truth(account, kind, name string) (Entity, bool) {
	if l := s.entities[keyOf(account, kind, name)]; l != nil {
		return l.Truth()
	}
	return Entity{}, false
}

func (s *Service) seen(account, kind, name string) (Entity, bool) {
	if l := s.entities[keyOf(account, kind, name)]; l != nil {
		return l.Seen(s.c)
	}
	return Entity{}, false
}

// effective is an entity as the authoriser sees it: IAM is eventually consistent, see cloud.Cloud.AuthLag.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
func (s *Service) effective(account, kind, name string) (Entity, bool) {
	if l := s.entities[keyOf(account, kind, name)]; l != nil {
		return l.Effective(s.c)
	}
	return Entity{}, false
}

// list is every entity of a kind that readers see, by name.
func (s *Service) list(account, kind string) []Entity {
	var all []Entity
	for k, l := range s.entities {
		if k.account != account || k.kind != kind {
			continue
		}
		if e, ok := l.Seen(s.c); ok {
			all = append(all, e)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// edit changes an entity; false when there is none.
func (s *Service) edit(account, kind, name string, f func(*Entity)) bool {
	e, ok := s.truth(account, kind, name)
	if !ok {
		return false
	}
	e.Inline, e.Tags, e.Attached = maps.Clone(e.Inline), maps.Clone(e.Tags), slices.Clone(e.Attached)
	f(&e)
	s.slot(account, kind, name).Set(s.c, e)
	s.changed(e)
	return true
}

func (s *Service) create(e Entity) Entity {
	prefix := "AROA"
	if e.Kind == "user" {
		prefix = "AIDA"
	}
	if e.Path == "" {
		e.Path = "/"
	}
	if e.ID == "" {
		e.ID = prefix + s.id()
	}
	e.Created = s.c.Now().UTC().Truncate(time.Second)
	e.ARN = fmt.Sprintf("arn:aws:iam::%s:%s%s%s", e.Account, e.Kind, e.Path, e.Name)
	if e.Inline == nil {
		e.Inline = map[string]string{}
	}
	if e.Tags == nil {
		e.Tags = map[string]string{}
	}
	if e.Kind == "role" && e.MaxSession == 0 {
		e.MaxSession = 3600
	}
	s.slot(e.Account, e.Kind, e.Name).Set(s.c, e)
	s.changed(e)
	return e
}

// changed reports that a role was written.
func (s *Service) changed(e Entity) {
	if e.Kind == "role" {
		s.c.Changed(cloud.Change{Type: "AWS::IAM::Role", Account: e.Account, Name: e.Name})
	}
}

// id is the part of a unique ID after its prefix: 17 capital letters and digits.
func (s *Service) id() string {
	return strings.ToUpper(strings.ReplaceAll(s.c.UUID(), "-", ""))[:17]
}

func (s *Service) newManaged(m Managed, account string) Managed {
	if m.Path == "" {
		m.Path = "/"
	}
	m.ID, m.ARN = "ANPA"+s.id(), "arn:aws:iam::"+account+":policy"+m.Path+m.Name
	m.Created = s.c.Now().UTC().Truncate(time.Second)
	m.Updated, m.Default, m.Made = m.Created, 1, []time.Time{m.Created}
	if s.managed[m.ARN] == nil {
		s.managed[m.ARN] = &cloud.Lagged[Managed]{}
	}
	s.managed[m.ARN].Set(s.c, m)
	return m
}

// policyTruth and policySeen find a managed policy by ARN; AWS's own ones always exist.
func (s *Service) policyTruth(arn string) (Managed, bool) {
	if m, ok := s.awsManaged(arn); ok {
		return m, true
	}
	if l := s.managed[arn]; l != nil {
		return l.Truth()
	}
	return Managed{}, false
}

func (s *Service) policySeen(arn string) (Managed, bool) {
	if m, ok := s.awsManaged(arn); ok {
		return m, true
	}
	if l := s.managed[arn]; l != nil {
		return l.Seen(s.c)
	}
	return Managed{}, false
}

func (s *Service) policyEffective(arn string) (Managed, bool) {
	if m, ok := s.awsManaged(arn); ok {
		return m, true
	}
	if l := s.managed[arn]; l != nil {
		return l.Effective(s.c)
	}
	return Managed{}, false
}

// attachments counts the entities that a managed policy is attached to, and those it bounds.
func (s *Service) attachments(arn string) (attached, bounds int) {
	for _, l := range s.entities {
		e, ok := l.Truth()
		if !ok {
			continue
		}
		if slices.Contains(e.Attached, arn) {
			attached++
		}
		if e.Boundary == arn {
			bounds++
		}
	}
	return attached, bounds
}

// parse reads a document once per text.
func (s *Service) parse(text string, kind policy.Kind) (*policy.Document, error) {
	key := fmt.Sprint(kind, text)
	if d := s.parsed[key]; d != nil {
		return d, nil
	}
	d, err := policy.Parse(text, kind)
	if err == nil {
		s.parsed[key] = d
	}
	return d, err
}
