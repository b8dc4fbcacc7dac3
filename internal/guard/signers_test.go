package guard_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/unjam/unjam/internal/guard"
)

// TestAllowedSignersAreRefused: a line that would let more in than one can see, or that is not understood, is no line to skip.
func TestAllowedSignersAreRefused(t *testing.T) {
	_, pub := key(t, "ada")
	weak, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // weak on purpose
	if err != nil {
		t.Fatal(err)
	}
	small, err := ssh.NewPublicKey(&weak.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	p := policy(t, "approvals: {allowedSigners: x}")
	for line, want := range map[string]string{
		"":                                     "there is no line with a key",
		"# ada":                                "there is no line with a key",
		"ada":                                  "x:1: ",
		"ada ssh-ed25519":                      "want PRINCIPALS [OPTIONS] KEYTYPE KEY",
		"ada ssh-ed25519 AAAA":                 "want PRINCIPALS [OPTIONS] KEYTYPE KEY",
		"* " + pub:                             "without patterns",
		"*@example.com " + pub:                 "without patterns",
		"ada,!bob " + pub:                      "without patterns",
		"ada,,bob " + pub:                      `principal ""`,
		`"ada bob ` + pub:                      "no closing quote",
		pub:                                    "want PRINCIPALS",
		"ada cert-authority " + pub:            "not against authorities",
		`ada namespaces="unjam-*" ` + pub:      "without patterns",
		`ada verify-required ` + pub:           `option "verify-required" is unknown`,
		`ada valid-before="2026-01-01" ` + pub: "want YYYYMMDD",
		`ada valid-before="20261301" ` + pub:   "want YYYYMMDD",
		"ada " + string(ssh.MarshalAuthorizedKey(small)): "at least 2048 bits",
		"# one\n\nada " + pub + "\n* " + pub:             "x:4: ",
	} {
		if _, err := p.Trust("x", []byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", line, err, want)
		}
	}
	for _, line := range []string{
		"ada " + pub + " a comment", `"ada,bob smith" ` + pub, `ada namespaces="git,unjam-approval",valid-after="20240101" ` + pub, "ada\t" + pub + "\r\n",
	} {
		if _, err := p.Trust("x", []byte(line)); err != nil {
			t.Errorf("%.60q: %v", line, err)
		}
	}
}

// TestSSHKeygenAgrees: an approval signed by ssh-keygen counts here (testdata/keygen.json, made by OpenSSH 9), and where ssh-keygen is
// installed it finds our signatures good, and ours are found good, for every kind of key that it makes.
func TestSSHKeygenAgrees(t *testing.T) {
	text, err := os.ReadFile("testdata/keygen.json")
	if err != nil {
		t.Fatal(err)
	}
	signers, err := os.ReadFile("testdata/keygen.signers")
	if err != nil {
		t.Fatal(err)
	}
	s, err := guard.ParseApproval("testdata/keygen.json", text)
	if err != nil {
		t.Fatal(err)
	}
	if err := guard.VerifySignature(signers, s.Approval, now()); err != nil {
		t.Errorf("signed by ssh-keygen: %v", err)
	}
	s.Comment = "changed"
	if guard.VerifySignature(signers, s.Approval, now()) == nil {
		t.Error("changed after ssh-keygen has signed it, and still good")
	}
	counts := func(s guard.Signed, line string) error {
		r := request()
		r.Approvals = []guard.Signed{s}
		_, err := trusting(t, "approvals: {allowedSigners: x}", line).Admit(r)
		return err
	}
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Log("there is no ssh-keygen here: only its stored signature was checked")
		return
	}
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		t.Run(kind, func(t *testing.T) { agree(t, keygen, kind, counts) })
	}
}

func agree(t *testing.T, keygen, kind string, counts func(guard.Signed, string) error) {
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	run := func(stdin string, args ...string) {
		t.Helper()
		c := exec.Command(keygen, args...)
		c.Stdin = strings.NewReader(stdin)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen %v: %v: %s", args, err, out)
		}
	}
	id := filepath.Join(dir, "id")
	run("", "-q", "-t", kind, "-N", "", "-f", id)
	pub, err := os.ReadFile(id + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	line := "ada@example.com " + string(pub)
	allowed := file("allowed", line)

	k, err := guard.OpenKey(id, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := k.Sign(approval(request().Plan, ada))
	if err != nil {
		t.Fatal(err)
	}
	run(string(ours.Payload()), "-Y", "verify", "-f", allowed, "-I", "ada@example.com", "-n", guard.Namespace, "-s", file("sig", ours.Signature))
	if err := counts(guard.Signed{Approval: ours}, line); err != nil {
		t.Error(err)
	}

	theirs := approval(request().Plan, ada)
	theirs.Comment = "<b> & \u00fc \"quoted\" \\ \U0001f600"
	payload := file("payload", string(theirs.Payload()))
	run("", "-Y", "sign", "-f", id, "-n", guard.Namespace, payload)
	sig, err := os.ReadFile(payload + ".sig")
	if err != nil {
		t.Fatal(err)
	}
	theirs.Signature = string(sig)
	if err := counts(guard.Signed{Approval: theirs}, line); err != nil {
		t.Error(err)
	}
	run("", "-q", "-p", "-P", "", "-N", "secret", "-f", id)
	if _, err := guard.OpenKey(id, "", nil); err == nil || !strings.Contains(err.Error(), "ssh-agent") {
		t.Errorf("a protected key without anybody to ask: %v", err)
	}
	if _, err := guard.OpenKey(id, "", func() ([]byte, error) { return []byte("wrong"), nil }); err == nil {
		t.Error("opened with a wrong passphrase")
	}
	if _, err := guard.OpenKey(id, "", func() ([]byte, error) { return []byte("secret"), nil }); err != nil {
		t.Error(err)
	}
}

// TestAgentSigns: the public key names which key of the agent signs.
func TestAgentSigns(t *testing.T) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "agent") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = agent.ServeAgent(ring, c)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	pub, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub)))
	file := filepath.Join(dir, "id.pub")
	if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := guard.OpenKey(file, "", nil); err == nil || !strings.Contains(err.Error(), "SSH_AUTH_SOCK") {
		t.Errorf("without an agent: %v", err)
	}
	k, err := guard.OpenKey(file, l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := request()
	a, err := k.Sign(approval(r.Plan, ada))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
	r.Approvals = []guard.Signed{{Approval: a}}
	passes(t, trusting(t, "approvals: {allowedSigners: x}", "ada@example.com "+line), r)
	_, other := key(t, "eve")
	if err := os.WriteFile(file, []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := guard.OpenKey(file, l.Addr().String(), nil); err == nil || !strings.Contains(err.Error(), "ssh-add") {
		t.Errorf("a key that the agent does not have: %v", err)
	}
}

// TestProtectedKey: a passphrase is asked for, and where there is nobody to ask the error says what to do.
func TestProtectedKey(t *testing.T) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := guard.OpenKey(file, "", nil); !errors.Is(err, guard.ErrPassphrase) {
		t.Errorf("with nobody to ask: %v", err)
	}
	if _, err := guard.OpenKey(file, "", func() ([]byte, error) { return []byte("wrong"), nil }); err == nil || strings.Contains(err.Error(), "wrong") {
		t.Errorf("with a wrong passphrase: %v", err)
	}
	if _, err := guard.OpenKey(file, "", func() ([]byte, error) { return nil, os.ErrClosed }); !errors.Is(err, os.ErrClosed) {
		t.Errorf("when the terminal is gone: %v", err)
	}
	k, err := guard.OpenKey(file, "", func() ([]byte, error) { return []byte("secret"), nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}

// TestKeyIsNone: what is no key says so.
func TestKeyIsNone(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"id": "nothing", "id.pub": "nothing", "pem": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})),
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := guard.OpenKey(file, "", nil); err == nil || !strings.HasPrefix(err.Error(), "read key "+file) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := guard.OpenKey(filepath.Join(dir, "none"), "", nil); err == nil {
		t.Error("a key that is not there was read")
	}
}
