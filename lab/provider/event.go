package provider

import "fmt"

// Event is what a provider tells those who listen: a push to a branch, a tag, or what happened to a pull request.
type Event struct {
	Type, Repo string // provider type and full name
	Branch     string // pushed to; of a tag, the branch whose head it is; of a pull request, the branch it comes from
	Tag        string // "" of everything else
	Pull       string // of a pull request OPEN, UPDATED or CLOSED; "" of everything else
	Into       string // the branch that a pull request goes into
	New        bool   // the push made the branch
	Files      []string
	Commit     Commit
}

// OnEvent has f called after every push, tag and event of a pull request.
func (d *Directory) OnEvent(f func(Event)) { d.onEvent = append(d.onEvent, f) }

func (d *Directory) tell(e Event) {
	if len(e.Files) == 0 {
		e.Files = []string{"README.md"}
	}
	for _, f := range d.onEvent {
		f(e)
	}
}

// Push adds a commit that changes files (README.md when none is named) to a branch, making the branch when there is none, and tells those
// who listen.
func (d *Directory) Push(providerType, fullName, branch, message string, files ...string) (Commit, error) {
	o, r, err := d.repo(providerType, fullName)
	if err != nil {
		return Commit{}, fmt.Errorf("push to %s: %w", fullName, err)
	}
	k, made := d.commit(o, fullName, branch, message), len(r.branches[branch]) == 0
	r.branches[branch] = append(r.branches[branch], k)
	d.tell(Event{Type: providerType, Repo: fullName, Branch: branch, New: made, Files: files, Commit: k})
	for _, f := range d.onPush {
		f(providerType, fullName, branch, k)
	}
	return k, nil
}

// Tag gives the newest commit of a branch a tag and tells those who listen.
func (d *Directory) Tag(providerType, fullName, branch, tag string) error {
	k, err := d.headOf(providerType, fullName, branch)
	if err != nil {
		return fmt.Errorf("tag %s as %s: %w", fullName, tag, err)
	}
	d.tell(Event{Type: providerType, Repo: fullName, Branch: branch, Tag: tag, Commit: k})
	return nil
}

// Propose tells those who listen what happened to a pull request from one branch into another: OPEN, UPDATED or CLOSED. Nothing is merged.
func (d *Directory) Propose(providerType, fullName, from, into, event string, files ...string) error {
	k, err := d.headOf(providerType, fullName, from)
	if err == nil {
		_, err = d.headOf(providerType, fullName, into)
	}
	if err != nil {
		return fmt.Errorf("propose %s of %s: %w", from, fullName, err)
	}
	d.tell(Event{Type: providerType, Repo: fullName, Branch: from, Into: into, Pull: event, Files: files, Commit: k})
	return nil
}

func (d *Directory) headOf(providerType, fullName, branch string) (Commit, error) {
	_, r, err := d.repo(providerType, fullName)
	if err != nil {
		return Commit{}, err
	}
	k, ok := r.Head(branch)
	if !ok {
		return Commit{}, fmt.Errorf("branch %s: %w", branch, ErrNotFound)
	}
	return k, nil
}
