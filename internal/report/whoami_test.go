package report_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/report"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// What looks wrong is said, the worst first, and a session with nothing wrong brings no word.
func TestWarnings(t *testing.T) {
	role := fact.Identity{Account: "111111111111", ARN: "arn:aws:sts::111111111111:assumed-role/Ops/ana", Kind: "assumed-role", Origin: "EnvConfigCredentials"}
	for name, c := range map[string]struct {
		change func(*report.Standing)
		want   []string // parts, in order
	}{
		"nothing":         {func(*report.Standing) {}, nil},
		"clock a bit off": {func(s *report.Standing) { s.Skew = 59 * time.Second }, nil},
		"clock off":       {func(s *report.Standing) { s.Skew = 70 * time.Second }, []string{"clock is 70 s ahead of AWS's: set it"}},
		"clock refused":   {func(s *report.Standing) { s.Skew = -7 * time.Minute }, []string{"clock is 7 min behind AWS's: AWS refuses"}},
		"ends":            {func(s *report.Standing) { s.Identity.ExpiresAt = noon.Add(4*time.Minute + time.Second) }, []string{"ends in 4 minutes"}},
		"ends later":      {func(s *report.Standing) { s.Identity.ExpiresAt = noon.Add(16 * time.Minute) }, nil},
		"renewed": {func(s *report.Standing) {
			s.Identity.Origin = "AssumeRoleProvider"
			s.Identity.ExpiresAt = noon.Add(time.Minute)
		}, nil},
		"root":   {func(s *report.Standing) { s.Identity.Kind = "root" }, []string{"root user"}},
		"Region": {func(s *report.Standing) { s.Region = "af-south-1" }, []string{"af-south-1 offers no connection sources"}},
		"all": {func(s *report.Standing) {
			s.Credentials.Wrong, s.Skew, s.Identity.Kind, s.Region = "environment variables hide profile prod", time.Hour, "root", "af-south-1"
			s.Identity.ExpiresAt = noon.Add(-time.Minute)
		}, []string{"hide profile prod: account 111111111111 may not be", "ends in 0 minutes", "60 min ahead", "root", "af-south-1"}},
	} {
		s := report.Standing{Identity: role, Region: "eu-west-1", Now: noon}
		c.change(&s)
		got := report.Warnings(s)
		if len(got) != len(c.want) {
			t.Errorf("%s: got %q", name, got)
			continue
		}
		for i, w := range c.want {
			if !strings.Contains(got[i], w) {
				t.Errorf("%s: got %q, want %q", name, got[i], w)
			}
		}
	}
}

// The table keeps to its width except for words that must stay whole, and shows every part: the organisation, who governs, what was
// not seen.
func TestWhoamiTable(t *testing.T) {
	who := fact.Identity{Account: "111111111111", ARN: "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Platform_0123456789abcdef/ana", Kind: "sso", Origin: "SSOProvider", ExpiresAt: noon.Add(3*time.Hour + 5*time.Minute)}
	account := fact.Scope{Account: who.Account}
	b := fact.NewBuilder(fact.Question{})
	seen := func(kind fact.Kind, id string) fact.Seen {
		return fact.Seen{About: fact.Ref{Scope: account, Kind: kind, ID: id}}
	}
	b.Add(fact.Region{Seen: seen(fact.KindRegion, "eu-west-1"), Name: "eu-west-1", Status: "DISABLED"},
		fact.Organization{Seen: seen(fact.KindOrganization, who.Account), ID: "o-acme000001", Management: who.Account},
		fact.Role{Seen: seen(fact.KindRole, "a"), Name: "AWSReservedSSO_Platform_0123456789abcdef"}, fact.Role{Seen: seen(fact.KindRole, "b"), Name: "AWSControlTowerExecution"})
	b.Miss(fact.Gap{Query: fact.Query{Scope: account, Kind: fact.KindHealth}, Source: fact.Source{Service: "health", Operation: "DescribeEvents"}, Class: fact.Missing, Why: strings.Repeat("a long reason ", 12)})
	d := report.NewWhoami(report.Standing{Identity: who, Region: "eu-west-1", Skew: -72 * time.Second, Now: noon,
		Credentials: report.Credentials{From: "profile prod (SSO), named by AWS_PROFILE", Profile: "prod", RoleARN: "arn:aws:iam::111111111111:role/Read", Hides: []string{"profile prod (credential_process)"}}}, b.Seal(noon))
	var out bytes.Buffer
	if err := report.WhoamiTable(&out, d, noon, report.View{Width: 80}); err != nil {
		t.Fatal(err)
	}
	for _, w := range []string{"Permissions  Platform\n", "Session      ana\n", "is disabled, offers", "from profile prod (SSO)", "with the role arn:aws:iam::111111111111:role/Read on top", "Hides        profile prod (credential_process)",
		"15:05 UTC, in 3 h\n", "Clock        72 s behind AWS's", "o-acme000001, and this account manages it", "AWS Control Tower likely", "1 permission set ", "Not seen     health:DescribeEvents: a long"} {
		if !strings.Contains(out.String(), w) {
			t.Errorf("the table lacks %q\n%s", w, out.String())
		}
	}
	for line := range strings.Lines(out.String()) {
		if utf8.RuneCountInString(line) > 81 && !strings.Contains(line, "arn:") {
			t.Errorf("too wide: %q", line)
		}
	}
	if len(d.Warnings) != 2 || !strings.Contains(d.Warnings[1], "eu-west-1 is not enabled") {
		t.Errorf("warnings %q", d.Warnings)
	}
}

// A caller who comes the way AWS Control Tower does is told so, also where no role can be listed.
func TestControlTowerCaller(t *testing.T) {
	for role, want := range map[string]int{"AWSControlTowerExecution": 1, "Ops": 0} {
		who := fact.Identity{Account: "111111111111", ARN: "arn:aws:sts::111111111111:assumed-role/" + role + "/ana", Kind: "assumed-role"}
		d := report.NewWhoami(report.Standing{Identity: who, Region: "eu-west-1", Now: noon}, fact.NewBuilder(fact.Question{}).Seal(noon))
		if len(d.Hints) != want {
			t.Errorf("%s: hints %q", role, d.Hints)
		}
	}
}
