package export

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/index"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// own is the program's own repository. It is written to below the work tree's level: a commit is what HEAD holds and the new files,
// whatever else lies in the folder, and costs no look at the exports of earlier runs. It never has a remote of our making.
type own struct {
	s    *filesystem.Storage
	dir  string // the folder .git
	root string
}

// commitOwn commits the files of an export in the own repository, which it makes when there is none.
func commitOwn(root string, s Saved, e Export) (string, error) {
	r, err := openOwn(root)
	if err != nil {
		return "", ownTrouble(root, s, err)
	}
	h, err := r.commit(s, e)
	if err != nil {
		return "", ownTrouble(root, s, err)
	}
	return h.String(), nil
}

// ownTrouble says what is left and how to come to a repository that works.
func ownTrouble(root string, s Saved, err error) error {
	if advised := advise(err); advised.Error() != err.Error() {
		return fmt.Errorf("commit export: %w; the files are in %s, uncommitted", advised, s.Folder)
	}
	return fmt.Errorf("commit export: %w; the files are in %s, uncommitted; if it stays so, move %s away: a new history begins", err, s.Folder, filepath.Join(root, git.GitDirName))
}

func openOwn(root string) (own, error) {
	r, err := git.PlainOpen(root)
	if errors.Is(err, git.ErrRepositoryNotExists) {
		// Made first, so that nobody else can look into it: what Git puts below is readable for all.
		if err := makeFolder(filepath.Join(root, git.GitDirName)); err != nil {
			return own{}, err
		}
		r, err = git.PlainInitWithOptions(root, &git.PlainInitOptions{InitOptions: git.InitOptions{DefaultBranch: plumbing.NewBranchReferenceName("main")}})
	}
	if err != nil {
		return own{}, err
	}
	s, ok := r.Storer.(*filesystem.Storage)
	if !ok {
		return own{}, fmt.Errorf("%s is not on a disk", root)
	}
	return own{s: s, dir: s.Filesystem().Root(), root: root}, nil
}

// commit puts the files of an export on top of what HEAD holds.
func (r own) commit(s Saved, e Export) (plumbing.Hash, error) {
	branch, parent, tree, err := r.head()
	if err != nil {
		return plumbing.ZeroHash, err
	}
	below, err := filepath.Rel(r.root, s.Folder)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	files := map[string]string{} // below root, to the digest
	for f, digest := range s.Files {
		files[path.Join(filepath.ToSlash(below), f)] = digest
	}
	files[attributesName] = ""
	added, blobs, err := r.blobs(files)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	newTree, err := r.merge(tree, blobs)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	who := object.Signature{Name: signer(e.By), Email: "unjam@localhost", When: e.At}
	c := object.Commit{Author: who, Committer: who, Message: message(e), TreeHash: newTree}
	if !parent.IsZero() {
		c.ParentHashes = []plumbing.Hash{parent}
	}
	h, err := r.put(&c)
	if err != nil {
		return h, err
	}
	if err := r.stage(tree, added); err != nil {
		return h, err
	}
	return h, r.move(branch, h)
}

// head is the branch that HEAD stands for, the commit on it and the tree of that; the last two are zero before the first commit.
func (r own) head() (branch plumbing.ReferenceName, commit, tree plumbing.Hash, err error) {
	ref, err := r.s.Reference(plumbing.HEAD)
	if err != nil {
		return "", commit, tree, err
	}
	if branch = plumbing.HEAD; ref.Type() == plumbing.SymbolicReference {
		branch = ref.Target()
		ref, err = r.s.Reference(branch)
		if errors.Is(err, plumbing.ErrReferenceNotFound) {
			if _, err := os.Stat(filepath.Join(r.dir, filepath.FromSlash(branch.String()))); err == nil {
				return "", commit, tree, fmt.Errorf("%s is empty", branch) // the library takes that for a beginning, and a history would end
			}
			return branch, commit, tree, nil
		}
		if err != nil {
			return "", commit, tree, err
		}
	}
	c, err := object.GetCommit(r.s, ref.Hash())
	if err != nil {
		return "", commit, tree, fmt.Errorf("read its last commit: %w", err)
	}
	return branch, c.Hash, c.TreeHash, nil
}

// blobs stores files, with what the index says of each. A file that does not have its digest any more is refused.
func (r own) blobs(files map[string]string) ([]*index.Entry, map[string]plumbing.Hash, error) {
	var entries []*index.Entry
	hashes := map[string]plumbing.Hash{}
	for f, digest := range files {
		file := filepath.Join(r.root, filepath.FromSlash(f))
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, err
		}
		if digest != "" && sum(b) != digest {
			return nil, nil, fmt.Errorf("%s was changed while it was saved", file)
		}
		o := r.s.NewEncodedObject()
		o.SetType(plumbing.BlobObject)
		w, err := o.Writer()
		if err != nil {
			return nil, nil, err
		}
		if _, err := w.Write(b); err != nil {
			return nil, nil, err
		}
		if err := w.Close(); err != nil {
			return nil, nil, err
		}
		h, err := r.s.SetEncodedObject(o)
		if err != nil {
			return nil, nil, err
		}
		hashes[f] = h
		entries = append(entries, &index.Entry{Name: f, Hash: h, Mode: filemode.Regular, Size: uint32(len(b))})
	}
	return entries, hashes, nil
}

// merge stores a tree with files, paths below it, in addition to what an older tree holds; the zero hash is the empty tree.
func (r own) merge(old plumbing.Hash, files map[string]plumbing.Hash) (plumbing.Hash, error) {
	entries := map[string]object.TreeEntry{}
	if !old.IsZero() {
		t, err := object.GetTree(r.s, old)
		if err != nil {
			return old, fmt.Errorf("read its last tree: %w", err)
		}
		for _, e := range t.Entries {
			entries[e.Name] = e
		}
	}
	folders := map[string]map[string]plumbing.Hash{}
	for f, h := range files {
		name, rest, deeper := strings.Cut(f, "/")
		if !deeper {
			entries[name] = object.TreeEntry{Name: name, Mode: filemode.Regular, Hash: h}
			continue
		}
		if folders[name] == nil {
			folders[name] = map[string]plumbing.Hash{}
		}
		folders[name][rest] = h
	}
	for name, inside := range folders {
		var before plumbing.Hash
		if e := entries[name]; e.Mode == filemode.Dir {
			before = e.Hash
		}
		h, err := r.merge(before, inside)
		if err != nil {
			return h, err
		}
		entries[name] = object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: h}
	}
	var t object.Tree
	for _, e := range entries {
		t.Entries = append(t.Entries, e)
	}
	sort.Sort(object.TreeEntrySorter(t.Entries))
	return r.put(&t)
}

// put stores a tree or a commit.
func (r own) put(what interface {
	Encode(plumbing.EncodedObject) error
}) (plumbing.Hash, error) {
	o := r.s.NewEncodedObject()
	if err := what.Encode(o); err != nil {
		return plumbing.ZeroHash, err
	}
	return r.s.SetEncodedObject(o)
}

// stage adds to the index what is committed, so that `git status` finds nothing to do. An index that cannot be read is made anew from
// the last tree: nothing depends on it.
func (r own) stage(tree plumbing.Hash, added []*index.Entry) error {
	idx, err := r.s.Index()
	if err != nil {
		if idx, err = r.index(tree); err != nil {
			return err
		}
	}
	at := map[string]int{}
	for i, e := range idx.Entries {
		at[e.Name] = i
	}
	for _, e := range added {
		if i, ok := at[e.Name]; ok {
			idx.Entries[i] = e
			continue
		}
		idx.Entries = append(idx.Entries, e)
	}
	var b bytes.Buffer
	if err := index.NewEncoder(&b).Encode(idx); err != nil {
		return fmt.Errorf("write its index: %w", err)
	}
	return durable(filepath.Join(r.dir, "index"), b.Bytes())
}

// index is the index of a tree that is checked out.
func (r own) index(tree plumbing.Hash) (*index.Index, error) {
	idx := &index.Index{Version: 2}
	if tree.IsZero() {
		return idx, nil
	}
	t, err := object.GetTree(r.s, tree)
	if err != nil {
		return nil, fmt.Errorf("read its last tree: %w", err)
	}
	return idx, t.Files().ForEach(func(f *object.File) error {
		idx.Entries = append(idx.Entries, &index.Entry{Name: f.Name, Hash: f.Hash, Mode: f.Mode, Size: uint32(f.Size)})
		return nil
	})
}

// move makes a branch stand for a commit, whole or not at all: the library would empty the file first, and a process that dies then
// leaves a repository without a history.
func (r own) move(branch plumbing.ReferenceName, to plumbing.Hash) error {
	file := filepath.Join(r.dir, filepath.FromSlash(branch.String()))
	if err := makeFolder(filepath.Dir(file)); err != nil {
		return err
	}
	if err := durable(file, []byte(to.String()+"\n")); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(file))
}

// signer is a name as it may stand in a commit.
func signer(by string) string {
	return strings.TrimSpace(strings.NewReplacer("<", "", ">", "").Replace(line(by)))
}
