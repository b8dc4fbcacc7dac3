package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// WhoamiSchema names the form of a whoami document; its JSON Schema is docs/schema/whoami.v1.json.
const WhoamiSchema = "unjam/whoami/v1"

// Whoami says as whom and where calls are made, as a document. Its JSON is part of the contract.
type Whoami struct {
	Schema       string        `json:"schema"`
	Identity     Identity      `json:"identity"`
	Principal    string        `json:"principal"`         // the role's, permission set's or user's name
	Session      string        `json:"session,omitempty"` // of a role: often the person's name
	Partition    string        `json:"partition"`
	Credentials  Credentials   `json:"credentials"`
	Region       string        `json:"region"`
	RegionStatus string        `json:"regionStatus,omitempty"`  // as account:ListRegions says; "" when not seen
	Offers       bool          `json:"offersConnectionSources"` // pipelines of the Region can have connections as their source
	ClockSkewMS  int64         `json:"clockSkewMs"`             // this machine's clock minus AWS's; 0 also when it is below a second
	Organization *Organization `json:"organization,omitempty"`  // absent when there is none or it was not seen
	Hints        []string      `json:"hints"`                   // what suggests that somebody else governs the account
	Warnings     []string      `json:"warnings"`
	NotSeen      []Gap         `json:"notSeen"`
}

// Credentials are where the keys come from, in words; no part of a key is in them.
type Credentials struct {
	From    string   `json:"from"`
	Profile string   `json:"profile,omitempty"`
	RoleARN string   `json:"roleArn,omitempty"` // assumed on top
	Hides   []string `json:"hides"`             // what would count without them
	Wrong   string   `json:"-"`                 // what is hidden although somebody asked for it
}

// Organization is the account's organisation.
type Organization struct {
	ID         string `json:"id"`
	Management string `json:"management"` // account ID
	Manages    bool   `json:"manages"`    // the caller's account is the management account
}

// Standing is what is known of a session beside AWS's answers: all that Warnings looks at.
type Standing struct {
	Identity    fact.Identity
	Region      string
	Credentials Credentials
	Skew        time.Duration // this machine's clock minus AWS's
	Now         time.Time
}

// From when on a clock is worth a word. AWS refuses requests that are more than five minutes off.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
const (
	skewOdd     = time.Minute
	skewRefused = 5 * time.Minute
)

// soon is how little time left is worth a word: a person at the console needs as much.
const soon = 15 * time.Minute

// Warnings are what looks wrong about a session, the worst first.
func Warnings(s Standing) []string {
	all := []string{}
	if s.Credentials.Wrong != "" {
		all = append(all, s.Credentials.Wrong+": account "+s.Identity.Account+" may not be the one you mean")
	}
	if i := s.Identity; !i.ExpiresAt.IsZero() && i.ExpiresAt.Sub(s.Now) < soon && !renewed(i) {
		all = append(all, "the session ends in "+fault.Plural(max(0, int(i.ExpiresAt.Sub(s.Now).Minutes())), "minute")+": sign in again before waiting for a person")
	}
	switch off := s.Skew.Abs(); {
	case off > skewRefused:
		all = append(all, "this machine's clock is "+clockWords(s.Skew)+" AWS's: AWS refuses requests that are more than 5 minutes off: set it (NTP)")
	case off > skewOdd:
		all = append(all, "this machine's clock is "+clockWords(s.Skew)+" AWS's: set it (NTP), times shown here are off by as much")
	}
	if s.Identity.Kind == "root" {
		all = append(all, "these are the root user's credentials: use a role")
	}
	if !fact.OffersConnectionSource(s.Region) {
		all = append(all, "Region "+s.Region+" offers no connection sources for pipelines")
	}
	return all
}

// renewed reports whether a session is made anew by itself when it ends: a role that this program assumes.
func renewed(i fact.Identity) bool { return i.Origin == assumed }

// assumed is the SDK's name of the source of such sessions.
const assumed = "AssumeRoleProvider"

// clockWords says how far off a clock is: "7 min behind", "70 s ahead of".
func clockWords(skew time.Duration) string {
	word := "ahead of"
	if skew < 0 {
		word = "behind"
	}
	off := skew.Abs()
	if off >= 2*time.Minute {
		return fmt.Sprintf("%d min %s", int(off.Minutes()), word)
	}
	return fmt.Sprintf("%d s %s", int(off.Seconds()), word)
}

// controlTowerRole is the role that AWS Control Tower makes in every account it governs.
// https://docs.aws.amazon.com/controltower/latest/userguide/awscontroltowerexecution.html
const controlTowerRole = "AWSControlTowerExecution"

// NewWhoami makes the document of what was read about a session.
func NewWhoami(st Standing, s *fact.Snapshot) Whoami {
	i := st.Identity
	d := Whoami{
		Schema: WhoamiSchema, Region: st.Region, Principal: i.Name(), Session: i.Session(), Partition: i.Partition(),
		Identity:    Identity{Account: i.Account, ARN: i.ARN, Kind: i.Kind, Source: i.Origin, ExpiresAt: fault.Stamp(i.ExpiresAt)},
		Credentials: st.Credentials, Offers: fact.OffersConnectionSource(st.Region), ClockSkewMS: st.Skew.Milliseconds(),
		Hints: []string{}, Warnings: Warnings(st), NotSeen: []Gap{},
	}
	if d.Credentials.Hides == nil {
		d.Credentials.Hides = []string{}
	}
	for r := range fact.All[fact.Region](s) {
		if r.Name == st.Region {
			d.RegionStatus = r.Status
			if !r.Enabled() {
				d.Warnings = append(d.Warnings, "Region "+r.Name+" is not enabled in this account ("+r.Status+")")
			}
		}
	}
	for o := range fact.All[fact.Organization](s) {
		d.Organization = &Organization{ID: o.ID, Management: o.Management, Manages: o.Management == i.Account}
	}
	d.Hints = hints(i, s)
	for _, g := range s.Gaps() {
		d.NotSeen = append(d.NotSeen, newGap(g, nil))
	}
	return d
}

// hints are role names that suggest who else governs the account. A name proves nothing by itself.
func hints(i fact.Identity, s *fact.Snapshot) []string {
	all := []string{}
	if i.Kind == "assumed-role" && i.Name() == controlTowerRole {
		all = append(all, "the caller is "+controlTowerRole+": that is how the management account of AWS Control Tower reaches into the accounts it governs")
	}
	sets := 0
	for r := range fact.All[fact.Role](s) {
		if fact.PermissionSet(r.Name) != "" {
			sets++
		}
		if r.Name == controlTowerRole {
			all = append(all, "the role "+r.Name+" exists: AWS Control Tower likely governs the account, so control policies may refuse what roles allow")
		}
	}
	if sets > 0 {
		all = append(all, "people come in through IAM Identity Center: "+fault.Plural(sets, "permission set")+" with a role here (AWSReservedSSO_*)")
	}
	return all
}

// WhoamiTable writes the document for a person at a terminal. Warnings are talk and belong on another stream.
func WhoamiTable(w io.Writer, d Whoami, now time.Time, v View) error {
	p := newPage(w, v)
	p.who("Account", d.Identity.Account)
	p.who("Identity", d.Identity.ARN)
	p.who("Kind", d.Identity.Kind)
	p.who(kindLabel(d.Identity.Kind), d.Principal)
	p.who("Session", d.Session)
	p.who("Region", d.Region)
	p.who("", d.regionWords())
	p.who("Partition", d.Partition)
	p.who("Credentials", d.Identity.Source)
	p.who("", "from "+d.Credentials.From)
	if d.Credentials.RoleARN != "" {
		p.who("", "with the role "+d.Credentials.RoleARN+" on top")
	}
	for i, h := range d.Credentials.Hides {
		p.who(first(i, "Hides"), h)
	}
	if t, err := time.Parse(time.RFC3339, d.Identity.ExpiresAt); err == nil {
		words := p.clock(t) + ", in " + left(t.Sub(now))
		if d.Identity.Source == assumed {
			words += ", renewed by itself"
		}
		p.who("Expire", words)
	}
	if skew := time.Duration(d.ClockSkewMS) * time.Millisecond; skew.Abs() >= time.Second {
		p.who("Clock", clockWords(skew)+" AWS's")
	}
	if o := d.Organization; o != nil {
		p.who("Organization", o.ID+", "+o.words())
	} else if !slices.ContainsFunc(d.NotSeen, func(g Gap) bool { return g.Service == "organizations" }) {
		p.who("Organization", "none")
	}
	for i, h := range d.Hints {
		p.who(first(i, "Hints"), h)
	}
	for i, g := range d.NotSeen {
		p.who(first(i, "Not seen"), g.Service+":"+g.Operation+": "+g.Why)
	}
	return p.err
}

func (o Organization) words() string {
	if o.Manages {
		return "and this account manages it"
	}
	return "managed by account " + o.Management
}

func (d Whoami) regionWords() string {
	words := "is " + strings.ToLower(strings.ReplaceAll(d.RegionStatus, "_", " "))
	if d.RegionStatus == "" {
		words = "enabled or not: not seen"
	}
	if d.Offers {
		return words + ", offers connection sources"
	}
	return words + ", offers no connection sources"
}

// kindLabel is the label of the principal's name.
func kindLabel(kind string) string {
	switch kind {
	case "sso":
		return "Permissions" // the set
	case "assumed-role":
		return "Role"
	}
	return "Name"
}

// left is a time left in one or two words.
func left(d time.Duration) string {
	switch {
	case d <= 0:
		return "the past"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}

// whoWidth is the column of labels in a whoami table.
const whoWidth = 13

// who writes a labelled text, wrapped; nothing when there is none.
func (p *page) who(label, text string) {
	if text == "" {
		return
	}
	for i, l := range wrap(text, p.view.Width-whoWidth) {
		p.line(p.paint(dim, fmt.Sprintf("%-*s", whoWidth, first(i, label))) + l)
	}
}
