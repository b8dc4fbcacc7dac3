// Package export writes what AWS said before a change into files of a Git repository: the files first, whole and on the disk, then
// the commit. It never pushes, never changes a file it has written, and keeps what it saves out of messages and errors.
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

// Check reports, before a run begins, what would keep Save from saving: recipients that are none, a repository that is none, a folder
// that cannot be written.
func Check(ctx context.Context, c Config) error {
	if _, err := recipients(c.EncryptTo); err != nil {
		return err
	}
	if c.Repo != "" {
		_, err := topOf(ctx, c.Repo)
		return err
	}
	return writable(c.Home)
}

// Save writes the files, durably, and commits them. In the own repository a commit that fails is Saved.Trouble; in the user's own it is
// an error, since they asked for it there. Without an error, the files are on the disk.
func Save(ctx context.Context, c Config, e Export) (Saved, error) {
	seal, err := recipients(c.EncryptTo)
	if err != nil {
		return Saved{}, err
	}
	root := c.Home
	if c.Repo != "" {
		if root, err = topOf(ctx, c.Repo); err != nil {
			return Saved{}, err
		}
		root = filepath.Join(root, "unjam-export")
	}
	if c.Lock != nil {
		unlock, err := c.Lock(ctx)
		if err != nil {
			return Saved{}, fmt.Errorf("save export: %w", err)
		}
		defer unlock() //nolint:errcheck // the operating system lets go with the process
	}
	out, err := write(root, seal, e)
	if err != nil {
		return out, err
	}
	below := path.Join(safe(e.Account), safe(e.Run))
	if c.Repo != "" {
		out.Commit, err = commitTheirs(ctx, root, below, message(e))
		return out, err
	}
	if out.Commit, err = commitOwn(root, below, out.Files, message(e), e.By, e.At); err != nil {
		out.Trouble = err.Error()
	}
	return out, nil
}

// write writes all files of an export, the manifest last.
func write(root string, seal sealer, e Export) (Saved, error) {
	folder, err := filepath.Abs(filepath.Join(root, safe(e.Account), safe(e.Run)))
	if err != nil {
		return Saved{}, fmt.Errorf("save export: find %s: %w", root, err)
	}
	out := Saved{Folder: folder, Files: map[string]string{}}
	m := manifest{Schema: "unjam/export/v1", Run: e.Run, Plan: e.Plan, Account: e.Account, Regions: e.Regions, By: e.By, At: e.At.UTC()}
	counts := map[string]int{}
	for _, i := range e.Items {
		f := manifestFile{Kind: i.Kind, ID: i.ID, Region: i.Region, Service: i.Service, Operation: i.Operation, RequestID: i.RequestID, At: i.At.UTC(), Absent: i.Absent}
		if !i.Absent {
			f.Path = fileOf(i, counts)
			body := i.Body
			if seal != nil {
				f.Path += ".age"
				if body, err = seal(body); err != nil {
					return out, err
				}
			}
			f.SHA256 = sum(body)
			out.Files[f.Path] = f.SHA256
			if err := durable(filepath.Join(folder, filepath.FromSlash(f.Path)), body); err != nil {
				return out, err
			}
		}
		m.Files = append(m.Files, f)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return out, fmt.Errorf("save export: write manifest: %w", err)
	}
	text = append(text, '\n')
	out.Files[manifestName] = sum(text)
	return out, durable(filepath.Join(folder, manifestName), text)
}

// Load reads an export back and holds every file against its digest.
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
			return nil, fmt.Errorf("read export: %s was changed since it was saved", filepath.Join(folder, name))
		}
		out[name] = b
	}
	return out, nil
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// fileOf is the path of an item below its run's folder: kind/region/name-digest.operation.json. The digest of the ID keeps things
// apart whose names look alike to a file system; a number keeps the pages of one list apart.
func fileOf(i Item, counts map[string]int) string {
	region := i.Region
	if region == "" {
		region = "global"
	}
	name := i.ID
	if k := strings.LastIndexAny(name, "/:"); k >= 0 && k+1 < len(name) {
		name = name[k+1:]
	}
	base := path.Join(safe(i.Kind), safe(region), safe(name)+"-"+sum([]byte(i.ID))[:8]+"."+safe(i.Operation))
	counts[base]++
	if n := counts[base]; n > 1 {
		base += fmt.Sprintf(".%d", n)
	}
	if strings.HasPrefix(strings.TrimSpace(string(i.Body[:min(len(i.Body), 64)])), "<") {
		return base + ".xml"
	}
	return base + ".json"
}

// safe is a text as a part of a path on any system: letters, digits, dash and underscore, at most 80 of them, dots inside.
func safe(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.' && b.Len() > 0:
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
		if b.Len() == 80 {
			break
		}
	}
	if b.Len() == 0 {
		return "_"
	}
	return strings.TrimRight(b.String(), ".") + strings.Repeat("_", len(b.String())-len(strings.TrimRight(b.String(), ".")))
}

// durable writes a file, 0600, so that it is there whole or not at all: a file beside it, synced, then renamed, then the folder synced.
func durable(file string, body []byte) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("save export: make folder: %w", err)
	}
	f, err := os.CreateTemp(dir, ".unjam-*") // 0600
	if err != nil {
		return fmt.Errorf("save export: %w", err)
	}
	_, err = f.Write(body)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("save export: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return syncFolder(dir)
}

// syncFolder makes names in a folder durable. Systems that cannot sync a folder say so, and have nothing to sync.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("save export: %w", err)
	}
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, os.ErrInvalid) && !errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("save export: %w", errors.Join(err, d.Close()))
	}
	if err := d.Close(); err != nil {
		return fmt.Errorf("save export: %w", err)
	}
	return nil
}

// writable reports why nothing could be saved in a folder, which it makes when it is missing.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("check export folder: %w; choose another home with --home, or a repository with --export-repo", err)
	}
	f, err := os.CreateTemp(dir, ".unjam-*")
	if err != nil {
		return fmt.Errorf("check export folder: %w; choose another home with --home, or a repository with --export-repo", err)
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return fmt.Errorf("check export folder: %w", err)
	}
	return nil
}

// message is the commit's message: what was saved, for which run, by which calls.
func message(e Export) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Before run %s in account %s\n\nRegions: %s\nPlan: %s\nBy: %s\n\n", e.Run, e.Account, strings.Join(e.Regions, ", "), e.Plan, e.By)
	for _, i := range e.Items {
		state := ""
		if i.Absent {
			state = " (does not exist)"
		}
		fmt.Fprintf(&b, "%s:%s %s%s, request %s\n", i.Service, i.Operation, i.ID, state, i.RequestID)
	}
	return b.String()
}
