// Package export writes what AWS said before a change into files of a Git repository: the files first, whole and on the disk, then
// the commit. It never pushes, never changes a file it has written, and never puts what it saves into messages and errors.
package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
	"unicode"
)

// Config says where to save.
type Config struct {
	Home      string   // the own repository, made when it is first used
	Repo      string   // the user's own work tree in its place; "" for none
	EncryptTo []string // age recipients: age1..., ssh-ed25519 ..., ssh-rsa ..., or @FILE with one a line; none: as it is
	// Lock keeps other processes out of the repository until unlock; nil: nobody else is there.
	Lock func(context.Context) (unlock func() error, err error)
}

// Export is what is saved before one run.
type Export struct {
	Run, Account, Plan, By string
	Regions                []string
	At                     time.Time
	Items                  []Item
}

// Item is one reply of AWS about one thing, as it was sent.
type Item struct {
	Kind, ID, Region              string // of the thing
	Service, Operation, RequestID string // of the reply
	At                            time.Time
	Absent                        bool // AWS said that the thing does not exist: there is no body
	Body                          []byte
}

// Saved is where it lies.
type Saved struct {
	Folder  string            // of the run, absolute
	Commit  string            // "" when there is none
	Files   map[string]string // path below Folder, with slashes, to the SHA-256 of the content as it lies there
	Trouble string            // why there is no commit in the own repository, though the files are there
}

// manifest is the file manifest.json of an export: what is in it, without any content.
type manifest struct {
	Schema  string         `json:"schema"` // unjam/export/v1
	Run     string         `json:"run"`
	Plan    string         `json:"plan"`
	Account string         `json:"account"`
	Regions []string       `json:"regions"`
	By      string         `json:"by"`
	At      time.Time      `json:"at"`
	Files   []manifestFile `json:"files"`
}

type manifestFile struct {
	Path      string    `json:"path,omitempty"` // absent for what does not exist
	Kind      string    `json:"kind"`
	ID        string    `json:"id"`
	Region    string    `json:"region,omitempty"`
	Service   string    `json:"service"`
	Operation string    `json:"operation"`
	RequestID string    `json:"requestId,omitempty"`
	At        time.Time `json:"at"`
	Absent    bool      `json:"absent,omitempty"`
	SHA256    string    `json:"sha256,omitempty"` // of the file as it lies there
}

// manifestName is the file that lists the others.
const manifestName = "manifest.json"

// Check reports, before a run begins, what would keep Save from saving: recipients that are none, a repository that is none or cannot
// be committed to, a folder that cannot be written. It makes the folder when it is missing.
func Check(ctx context.Context, c Config) error {
	if _, err := recipients(c.EncryptTo); err != nil {
		return err
	}
	if c.Repo == "" {
		return writable(c.Home)
	}
	r, err := openTheirs(ctx, c.Repo)
	if err != nil {
		return err
	}
	if err := r.ready(ctx); err != nil {
		return err
	}
	return writable(r.root())
}

// Save writes the files, durably, and commits them. The files come first and are the truth: in the own repository a commit that fails is
// Saved.Trouble. In the user's own it is an error, since they asked for it there. Without an error, the files are on the disk. An
// error that comes with Saved.Files says that the files are there and only the commit is not. A run that saves again gets a folder of its own.
func Save(ctx context.Context, c Config, e Export) (Saved, error) {
	seal, err := recipients(c.EncryptTo)
	if err != nil {
		return Saved{}, err
	}
	root := c.Home
	var user theirs
	if c.Repo != "" {
		if user, err = openTheirs(ctx, c.Repo); err != nil {
			return Saved{}, err
		}
		root = user.root()
	}
	if root, err = filepath.Abs(root); err != nil {
		return Saved{}, fmt.Errorf("save export: find %s: %w", c.Home, err)
	}
	out, err := write(ctx, root, seal, e)
	if err != nil {
		return Saved{}, fmt.Errorf("save export: %w", advise(err))
	}
	out.Commit, err = commit(ctx, c, root, user, out, e)
	if err != nil && c.Repo == "" {
		out.Trouble, err = err.Error(), nil
	}
	return out, err
}

// commit commits what was written, while nobody else does.
func commit(ctx context.Context, c Config, root string, user theirs, s Saved, e Export) (commit string, err error) {
	if c.Lock != nil {
		unlock, err := c.Lock(ctx)
		if err != nil {
			return "", fmt.Errorf("commit export: %w; the files are in %s, uncommitted", err, s.Folder)
		}
		defer func() {
			if e := unlock(); e != nil && err == nil {
				err = fmt.Errorf("commit export: %w", e)
			}
		}()
	}
	if c.Repo != "" {
		return user.commit(ctx, s, message(e))
	}
	return commitOwn(root, s, e)
}

// write writes all files of an export into a new folder, the manifest last. What could not be written whole is taken away again.
func write(ctx context.Context, root string, seal sealer, e Export) (out Saved, err error) {
	if err := makeFolder(root); err != nil {
		return Saved{}, err
	}
	if err := attributes(root); err != nil {
		return Saved{}, err
	}
	folder, err := newFolder(filepath.Join(root, safe(e.Account)), safe(e.Run))
	if err != nil {
		return Saved{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(folder)) // it was made above, for this export
		}
	}()
	out = Saved{Folder: folder, Files: map[string]string{}}
	m := manifest{Schema: "unjam/export/v1", Run: e.Run, Plan: e.Plan, Account: e.Account, Regions: e.Regions, By: e.By, At: e.At.UTC()}
	used := names{}
	for _, i := range e.Items {
		if err := ctx.Err(); err != nil {
			return Saved{}, err
		}
		f := manifestFile{Kind: i.Kind, ID: i.ID, Region: i.Region, Service: i.Service, Operation: i.Operation, RequestID: i.RequestID, At: i.At.UTC(), Absent: i.Absent}
		if !i.Absent {
			if f.Path, f.SHA256, err = writeItem(folder, used, seal, i); err != nil {
				return Saved{}, err
			}
			out.Files[f.Path] = f.SHA256
		}
		m.Files = append(m.Files, f)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return Saved{}, err
	}
	text = append(text, '\n')
	out.Files[manifestName] = sum(text)
	if err := syncFolders(folder, out.Files); err != nil {
		return Saved{}, err
	}
	if err := durable(filepath.Join(folder, manifestName), text); err != nil {
		return Saved{}, err
	}
	return out, syncFolder(folder)
}

// writeItem writes one reply, encrypted where that is wanted, and gives its path and the digest of what lies there.
func writeItem(folder string, used names, seal sealer, i Item) (file, digest string, err error) {
	file, body := used.fileOf(i), i.Body
	if seal != nil {
		file += ".age"
		if body, err = seal(body); err != nil {
			return "", "", err
		}
	}
	target := filepath.Join(folder, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return "", "", err
	}
	return file, sum(body), durable(target, body)
}

// syncFolders makes the names of files and of the folders between them and the top durable.
func syncFolders(top string, files map[string]string) error {
	done := map[string]bool{}
	for file := range files {
		for dir := path.Dir(file); !done[dir]; dir = path.Dir(dir) {
			if err := syncFolder(filepath.Join(top, filepath.FromSlash(dir))); err != nil {
				return err
			}
			done[dir] = true
		}
	}
	return nil
}

// attributesName is the file that keeps Git from changing line ends: the digests must hold in every clone.
const attributesName = ".gitattributes"

// attributes writes that file where it is missing.
func attributes(root string) error {
	file := filepath.Join(root, attributesName)
	if _, err := os.Lstat(file); err == nil {
		return nil
	}
	return durable(file, []byte("* -text\n"))
}

// Load reads an export back and holds every file against its digest: files is path below folder, with slashes, to SHA-256, as in
// Saved.Files. What was encrypted comes encrypted.
func Load(folder string, files map[string]string) (map[string][]byte, error) {
	out := map[string][]byte{}
	for name, want := range files {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return nil, fmt.Errorf("read export %s: %q is not below it", folder, name)
		}
		b, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)))
		if err != nil {
			return nil, fmt.Errorf("read export: %w", err)
		}
		if sum(b) != want {
			return nil, fmt.Errorf("read export: %s was changed since it was saved", filepath.Join(folder, filepath.FromSlash(name)))
		}
		out[name] = b
	}
	return out, nil
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// message is the commit's message: what was saved, for which run, by which calls.
func message(e Export) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Before run %s in account %s\n\nRegions: %s\nPlan: %s\nBy: %s\n\n",
		line(e.Run), line(e.Account), line(strings.Join(e.Regions, ", ")), line(e.Plan), line(e.By))
	for _, i := range e.Items {
		state := ""
		if i.Absent {
			state = " (does not exist)"
		}
		fmt.Fprintf(&b, "%s:%s %s%s, request %s\n", line(i.Service), line(i.Operation), line(i.ID), state, line(i.RequestID))
	}
	return b.String()
}

// line is a text without what would end a line or change a terminal.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}
