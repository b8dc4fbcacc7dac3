package guard_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/internal/guard"
)

// TestPolicyIsRefused: a policy says what it means, or nothing is changed under it. The place and the reason are told.
func TestPolicyIsRefused(t *testing.T) {
	const w = "start: '2026-01-01T02:00', timezone: Europe/Berlin, duration: 1h"
	for text, want := range map[string]string{
		"":                            "want one document that is not empty",
		"# nothing":                   "want one document that is not empty",
		"approvals: {}\n---\na: b":    "want one document",
		"- approvals":                 "1:1: want keys such as approvals",
		"approval: {}":                "1:1: unknown field \"approval\"",
		"approvals:\n  cuont: 2":      "2:3: unknown field \"cuont\"",
		"approvals:\n  count: two":    "2:10: ",
		"approvals: {count: 1.5}":     "1:20: ",
		"metric: maybe":               "1:9: ",
		"metric: true\nmetric: false": "2:1: ",
		"approvals: [1":               "1:12: ",
		"approvals:\n\tcount: 1":      "2:1: ",
		"a: &x 1\nmetric: *x":         "anchors, aliases",
		"metric: !!bool true":         "anchors, aliases",
		"approvals: {count: 11}":      "1:20: count is 11, want 0 to 10",
		"approvals: {count: ~}":       "nothing stands here",
		"approvals:\nmetric: true":    "nothing stands here",
		"breaker: {runs: 0x10}":       "decimal digits",
		"approvals: {count: -1}":      "count is -1",
		"approvals: {count: 2}":       "need allowedSigners",
		"approvals: {fourEyes: true}": "need allowedSigners",
		"approvals: {fourEyes: true, allowedSigners: x, count: 0}": "needs a count",
		"approvals: {maxAge: 8}":                                   "1:21: want a time span such as",
		"approvals: {maxAge: 8 hours}":                             "1:21: \"8 hours\" is no time span",
		"approvals: {maxAge: -1h}":                                 "is no time span of more than nothing",
		"approvals: {machines: [Deploy]}":                          "1:24: \"Deploy\" is no ARN of a role",
		"accounts: {deny: ['1234']}":                               "1:19: \"1234\" is no account ID",
		"accounts:\n  allow:\n  - 'x'":                             "3:5: \"x\" is no account ID",
		"accounts: {allow: []}":                                    "an empty list allows nothing",
		"accounts: {production: [{id: prod}]}":                     "\"prod\" is no account ID",
		"accounts: {production: [{id: '111111111111'}], sandbox: {accounts: ['111111111111']}}":   "is production and sandbox at once",
		"accounts: {sandbox: {tag: sandbox}}":                                                     "is no tag, want KEY=VALUE",
		"accounts: {sandbox: {required: true}}":                                                   "no account can ever be the sandbox",
		"breaker: {perRun: 0}":                                                                    "1:19: perRun is 0, want at least 1",
		"windows: [{" + w + "}]":                                                                  "needs a name of its own",
		"windows: [{name: a, " + w + "}, {name: a, " + w + "}]":                                   "needs a name of its own",
		"windows: [{name: a, start: x, timezone: UTC, duration: 1h}]":                             "start: \"x\", want a local date",
		"windows: [{name: a, start: '2026-01-01T02:00Z', timezone: UTC, duration: 1h}]":           "without a zone",
		"windows: [{name: a, start: '2026-01-01T02:00', timezone: Europe/Bonn, duration: 1h}]":    "1:58: timezone: \"Europe/Bonn\" is not in the time zone database",
		"windows: [{name: a, start: '2026-01-01T02:00', duration: 1h}]":                           "timezone: want a name",
		"windows: [{name: a, start: '2026-01-01T02:00', timezone: UTC}]":                          "duration: 0s, want one minute",
		"windows: [{name: a, start: '2026-01-01T02:00', timezone: UTC, duration: 169h}]":          "duration: 169h",
		"windows: [{name: a, " + w + ", for: [ssl]}]":                                             "\"ssl\" is unknown, want dns, certificates, tls, all",
		"windows: [{name: a, " + w + ", for: []}]":                                                "opens the window for nothing",
		"windows: [{name: a, " + w + ", accounts: []}]":                                           "opens the window for nothing",
		"windows: [{name: a, " + w + ", rrule: WEEKLY}]":                                          "rrule: ",
		"windows: [{name: a, " + w + ", rrule: FREQ=HOURLY}]":                                     "want FREQ=DAILY, WEEKLY",
		"windows: [{name: a, " + w + ", rrule: 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30'}]":            "it never happens",
		"windows: [{name: a, " + w + ", rrule: 'FREQ=MONTHLY;BYDAY=10SA'}]":                       "BYDAY counts weekdays from -5 to 5",
		"windows: [{name: a, " + w + ", rrule: 'FREQ=WEEKLY;BYDAY=1SA'}]":                         "of a month or year",
		"windows: [{name: a, " + w + ", rrule: 'FREQ=DAILY;BYHOUR=3'}]":                           "the time of day is that of start",
		"windows: [{name: a, " + w + ", rrule: 'FREQ=DAILY;INTERVAL=-1'}]":                        "INTERVAL up to 366",
		"windows: [{name: a, " + w + ", rrule: 'FREQ=MONTHLY;BYMONTHDAY=0'}]":                     "BYMONTHDAY",
		"windows: [{name: a, " + w + ", rrule: 'BYDAY=SU'}]":                                      "FREQ",
		"windows: [{name: a, " + w + ", rrule: \"DTSTART:20260101T000000Z\\nRRULE:FREQ=DAILY\"}]": "want the rule alone",
		"encryptTo: ['']": "want an age recipient",
		"metric: " + strings.Repeat(" ", 70000) + "true": "want at most 65536",
	} {
		p, err := guard.ParsePolicy("policy.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "policy.yaml") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60q: %v, want one line with %q", text, err, want)
		}
		if p.Exists() {
			t.Errorf("%.60q: there is a policy all the same", text)
		}
	}
}

// TestPolicyAccountIDs: an account ID without quotes may look like a number, even an octal one; it is the text that was written or none.
func TestPolicyAccountIDs(t *testing.T) {
	for _, id := range []string{"111111111111", "012345678901", "'012345670123'"} {
		p := policy(t, "accounts: {deny: ["+id+"]}")
		if len(p.Accounts.Deny) != 1 || p.Accounts.Deny[0] != strings.Trim(id, "'") {
			t.Errorf("%s was read as %v", id, p.Accounts.Deny)
		}
	}
	for _, id := range []string{"012345670123", "0x1234567890", "0o1234567012", "1_1111_11111"} {
		if _, err := guard.ParsePolicy("p", []byte("accounts: {deny: ["+id+"]}")); err == nil || !strings.Contains(err.Error(), "in quotes") {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// TestPolicyDefaults: approvals without a count want one; without the section they want none.
func TestPolicyDefaults(t *testing.T) {
	for text, want := range map[string]int{"approvals: {}": 1, "approvals: {maxAge: 1h}": 1, "approvals: {count: 0}": 0, "metric: true": 0, "approvals: {count: 2, allowedSigners: x}": 2} {
		if got := policy(t, text).Approvals.Count; got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

// example is the policy that docs/policy.md shows.
func example(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(b), "```yaml\n")
	text, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatal("docs/policy.md shows no policy any more")
	}
	return text
}

// TestExampleOfTheDocs parses the example of docs/policy.md, which uses every key there is.
func TestExampleOfTheDocs(t *testing.T) {
	text := example(t)
	p := policy(t, text)
	if p.Approvals.Count != 2 || time.Duration(p.Approvals.MaxAge) != 12*time.Hour || len(p.Windows) != 2 || !p.Metric || len(p.EncryptTo) == 0 {
		t.Errorf("read as %+v", p)
	}
	for _, key := range []string{
		"approvals", "count", "fourEyes", "allowedSigners", "maxAge", "machines", "accounts", "allow", "deny", "production", "id", "alias", "sandbox",
		"tag", "required", "within", "windows", "name", "start", "rrule", "timezone", "duration", "for", "breaker", "perRun", "perAccount", "overall",
		"runs", "exportRepo", "encryptTo", "metric",
	} {
		if !strings.Contains(text, key+":") {
			t.Errorf("the example has no %s", key)
		}
	}
}

// TestLoadPolicy: names in it are relative to it.
func TestLoadPolicy(t *testing.T) {
	dir := t.TempDir()
	_, pub := key(t, "ada")
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	file := write("policy.yaml", "{approvals: {allowedSigners: signers}, exportRepo: exports}")
	if _, err := guard.LoadPolicy(file); err == nil || !strings.Contains(err.Error(), "approvals.allowedSigners") {
		t.Errorf("without the signers: %v", err)
	}
	write("signers", "ada@example.com "+pub)
	p, err := guard.LoadPolicy(file)
	if err != nil || p.ExportRepo != filepath.Join(dir, "exports") {
		t.Fatalf("export repository %s, %v", p.ExportRepo, err)
	}
	r := request()
	r.Approvals = []guard.Signed{sign(t, approval(r.Plan, ada), "ada")}
	passes(t, p, r)
	for name, path := range map[string]string{"absent": filepath.Join(dir, "none"), "folder": dir, "too large": write("large", strings.Repeat("#", 70000))} {
		if _, err := guard.LoadPolicy(path); err == nil {
			t.Errorf("%s: it was read", name)
		}
	}
}

// FuzzParsePolicy: whatever is in the file, it is a policy or an error, and a policy judges every request.
func FuzzParsePolicy(f *testing.F) {
	f.Add(example(f))
	f.Add("windows: [{name: a, start: '2026-01-01T02:00', timezone: Europe/Berlin, duration: 1h, rrule: 'FREQ=MONTHLY;BYDAY=-1SU;BYSETPOS=1'}]")
	f.Add("accounts: {allow: [111111111111], sandbox: {tag: a=b}}\nbreaker: {runs: 1}")
	f.Add("a: &x [*x]\n<<: *x")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := guard.ParsePolicy("p", []byte(text))
		if err != nil {
			if p.Exists() || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v with %+v", err, p)
			}
			return
		}
		if !p.Exists() {
			t.Error("a policy that is none")
		}
		r := request(tlsStep("x"))
		_, _ = p.Admit(r)
		_ = p.Before(r, r.Plan.Steps[0])
	})
}
