package guard_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unjam/unjam/internal/guard"
)

// TestLoadApprovals finds what lies beside a plan, and nothing of another plan.
func TestLoadApprovals(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "web.plan.json")
	p := request().Plan
	revocation := approval(p, ada)
	revocation.Revokes = true
	for _, a := range []guard.Approval{approval(p, ada), approval(p, bob), approval(p, deploy), revocation} {
		text, err := a.Text()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(a.FileName(file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	other := approval(p, ada).FileName(filepath.Join(dir, "web2.plan.json"))
	if err := os.WriteFile(other, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := guard.LoadApprovals(file)
	if err != nil || len(all) != 4 {
		t.Fatalf("%d approvals, %v", len(all), err)
	}
	t.Chdir(dir)
	if all, err = guard.LoadApprovals("web.plan.json"); err != nil || len(all) != 4 {
		t.Errorf("%d approvals, %v", len(all), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "web.plan.revocation-x.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := guard.LoadApprovals(file); err == nil || !strings.Contains(err.Error(), "web.plan.revocation-x.json") {
		t.Errorf("a damaged revocation is passed over: %v", err)
	}
	if _, err := guard.LoadApprovals(filepath.Join(dir, "none", "web.plan.json")); err == nil {
		t.Error("a folder that is not there has no approvals")
	}
}

// TestFileNames: every person has a name of its own, without a path in it.
func TestFileNames(t *testing.T) {
	p := request().Plan
	seen := map[string]bool{}
	for _, by := range []string{ada, bob, deploy, eve, "arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:user/eve", "arn:aws:iam::111111111111:user/../../e ve"} {
		name := approval(p, by).FileName("/x/web.plan.json")
		if seen[name] || filepath.Dir(name) != "/x" || !strings.HasPrefix(filepath.Base(name), "web.plan.approval-") || strings.Contains(name, " ") {
			t.Errorf("%s: %s", by, name)
		}
		seen[name] = true
	}
}

func TestPersonOf(t *testing.T) {
	for arn, want := range map[string]guard.Person{
		ada: "ada@example.com", bob: "bob@example.com", eve: eve, deploy: "arn:aws:iam::111111111111:role/Deploy",
		strings.Replace(deploy, "session-1", "another", 1):            "arn:aws:iam::111111111111:role/Deploy",
		"arn:aws:iam::111111111111:role/some/path/Deploy":             "arn:aws:iam::111111111111:role/Deploy",
		"arn:aws:sts::111111111111:federated-user/ada":                "arn:aws:sts::111111111111:federated-user/*",
		"arn:aws:iam::111111111111:root":                              "arn:aws:iam::111111111111:root",
		"arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_x/ada": "arn:aws:iam::111111111111:role/AWSReservedSSO_x",
		"ada": "", "": "",
	} {
		if got := guard.PersonOf(arn, ""); got != want {
			t.Errorf("%s is %q, want %q", arn, got, want)
		}
	}
	if got := guard.PersonOf(deploy, "Ada@example.com"); got != "ada@example.com" {
		t.Errorf("with a name from elsewhere: %q", got)
	}
	for who, want := range map[guard.Person]bool{"ada@example.com": true, eve: true, guard.PersonOf(deploy, ""): false, "arn:aws:iam::111111111111:root": false, "": false, guard.PersonOf("arn:aws:sts::111111111111:federated-user/ada", ""): false} {
		if who.One() != want {
			t.Errorf("%q is one: %t", who, who.One())
		}
	}
}

// FuzzParseApproval: whatever it is, it is an approval that reads back as it was, or an error; and it counts for nothing without a key.
func FuzzParseApproval(f *testing.F) {
	good, err := approval(request().Plan, ada).Text()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(bytes.Replace(good, []byte("planId"), []byte("PLANID"), 1))
	f.Add([]byte(`{"schema":"unjam/approval/v1","planId":"x","by":"arn:a:b:c:d:e","person":"p","createdAt":"9999-12-31T23:59:59-23:59","expiresAt":"9999-12-31T23:59:59Z"}`))
	f.Add([]byte("{}{}"))
	_, pub := key(f, "eve")
	p := trusting(f, "approvals: {allowedSigners: x}", "eve "+pub)
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := guard.ParseApproval("x", text)
		if err != nil {
			return
		}
		again, err := a.Text()
		if err != nil {
			t.Fatal(err)
		}
		b, err := guard.ParseApproval("x", again)
		if err != nil || !bytes.Equal(a.Payload(), b.Payload()) {
			t.Errorf("%s\nreads back as\n%s: %v", a.Payload(), b.Payload(), err)
		}
		r := request()
		r.Approvals = []guard.Signed{a}
		if _, err := p.Admit(r); err == nil {
			t.Errorf("admitted with %s", text)
		}
	})
}
