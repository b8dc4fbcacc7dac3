package export

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
	"golang.org/x/crypto/ssh"
)

// identities are a key of every sort, with what is typed for it.
func identities(t *testing.T) (typed []string, keys []age.Identity) {
	t.Helper()
	x, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	typed, keys = append(typed, x.Recipient().String()), append(keys, x)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []interface{ Public() any }{publicOf{ed.Public()}, publicOf{r.Public()}} {
		pub, err := ssh.NewPublicKey(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		typed = append(typed, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub)))+" ada@example.com")
	}
	for _, k := range []any{ed, r} {
		block, err := ssh.MarshalPrivateKey(k, "")
		if err != nil {
			t.Fatal(err)
		}
		id, err := agessh.ParseIdentity(pem.EncodeToMemory(block))
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, id)
	}
	return typed, keys
}

type publicOf struct{ key any }

func (p publicOf) Public() any { return p.key }

// Every recipient can read every reply again, byte for byte, and nowhere on the disk is one in plain, Git's objects included. The
// digests hold without a key.
func TestEncrypted(t *testing.T) {
	typed, keys := identities(t)
	list := filepath.Join(t.TempDir(), "recipients")
	if err := os.WriteFile(list, []byte("# the team\n\n"+strings.Join(typed[1:], "\r\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	home, e := t.TempDir(), sample("r1")
	c := Config{Home: home, EncryptTo: []string{typed[0], "@" + list}}
	if err := Check(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	s := save(t, c, e)
	got := load(t, s)
	n := 0
	for _, i := range e.Items {
		if i.Absent {
			continue
		}
		for _, key := range keys {
			if bodies := opened(t, got, key); !containsBody(bodies, i.Body) {
				t.Errorf("%T cannot read %s %s", key, i.Operation, i.ID)
			}
		}
		n++
	}
	if len(got) != n+1 {
		t.Errorf("%d files, want %d and the manifest", len(got), n)
	}
	noCanary(t, home)
}

// opened are the contents of the encrypted files.
func opened(t *testing.T, files map[string][]byte, key age.Identity) [][]byte {
	t.Helper()
	var all [][]byte
	for name, sealed := range files {
		if !strings.HasSuffix(name, ".age") {
			continue
		}
		r, err := age.Decrypt(bytes.NewReader(sealed), key)
		if err != nil {
			t.Fatalf("%T: %s: %v", key, name, err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

func containsBody(all [][]byte, body []byte) bool {
	for _, b := range all {
		if bytes.Equal(b, body) {
			return true
		}
	}
	return false
}

// noCanary fails when the canary lies in a file or in an object of the repository.
func noCanary(t *testing.T, home string) {
	t.Helper()
	err := filepath.WalkDir(home, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if bytes.Contains(b, []byte(canary)) {
			t.Errorf("in plain in %s", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := git.PlainOpen(home)
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := r.BlobObjects()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := blobs.ForEach(func(b *object.Blob) error {
		n++
		in, err := b.Reader()
		if err != nil {
			return err
		}
		defer in.Close()
		text, err := io.ReadAll(in)
		if bytes.Contains(text, []byte(canary)) {
			t.Errorf("in plain in object %s", b.Hash)
		}
		return err
	}); err != nil || n == 0 {
		t.Fatalf("%d blobs: %v", n, err)
	}
}

// What is no recipient is refused before anything is written, and never repeated: it may be a secret key.
func TestNoRecipient(t *testing.T) {
	x, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(text string) string {
		f, err := os.CreateTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		return "@" + f.Name()
	}
	for name, c := range map[string]struct{ typed, want string }{
		"a secret key":           {x.String(), "secret key"},
		"a secret key in a file": {file("# me\n" + x.String()), "line 2"},
		"half":                   {x.Recipient().String()[:30], "want age1..."},
		"another sort":           {"ssh-dss AAAA" + canary, "want age1..."},
		"a word":                 {canary, "want age1..."},
		"no file":                {"@" + filepath.Join(dir, "nowhere"), "nowhere"},
		"an empty file":          {file("# nobody\n"), "names none"},
		"nothing":                {"", "names none"},
	} {
		t.Run(name, func(t *testing.T) {
			home := filepath.Join(t.TempDir(), "export")
			cfg := Config{Home: home, EncryptTo: []string{c.typed}}
			for what, err := range map[string]error{"check": Check(t.Context(), cfg), "save": second(Save(t.Context(), cfg, sample("r1")))} {
				if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "AGE-SECRET") && strings.Contains(err.Error(), x.String()) || strings.Contains(err.Error(), canary) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if _, err := os.Stat(home); err == nil {
				t.Error("something was written")
			}
		})
	}
}

// Keys for the time after quantum computers work alone; with others beside them age refuses, and that is known before the run.
func TestHybridRecipient(t *testing.T) {
	h, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	x, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Home: t.TempDir(), EncryptTo: []string{h.Recipient().String()}}
	e := sample("r1")
	if bodies := opened(t, load(t, save(t, c, e)), h); !containsBody(bodies, e.Items[0].Body) {
		t.Error("the key cannot read it")
	}
	c.EncryptTo = append(c.EncryptTo, x.Recipient().String())
	if err := Check(t.Context(), c); err == nil {
		t.Error("two sorts of recipients pass the check")
	}
}

func second(_ Saved, err error) error { return err }
