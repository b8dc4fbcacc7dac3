package cloud

// Change names a resource that was just written: made, edited or deleted, by a call or by a world's stage.
type Change struct {
	Type    string // as CloudFormation spells it: AWS::IAM::Role
	Account string
	Region  string // "" for a global resource
	Name    string
}

// observers are told of what happens, in the order in which they came.
type observers struct {
	changes []func(Change)
	served  []func(*Request, map[string]any, error)
}

// OnChange adds a function that is told of every write of a resource whose service reports them (see Changed). It runs
// under the lock, right after the write.
func (c *Cloud) OnChange(f func(Change)) { c.changes = append(c.changes, f) }

// Changed tells the observers that a resource was written. Services call it after the write.
func (c *Cloud) Changed(ch Change) {
	for _, f := range c.changes {
		f(ch)
	}
}

// OnServed adds a function that is told of every call and its answer, refusals too. It runs under the lock, after the
// event was recorded; it must not change the maps.
func (c *Cloud) OnServed(f func(r *Request, out map[string]any, err error)) {
	c.served = append(c.served, f)
}
