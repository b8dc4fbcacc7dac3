package cloud

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

// Protocol is how a service speaks on the wire.
type Protocol int

// The protocols of the services the lab serves.
const (
	JSON10   Protocol = iota // X-Amz-Target, application/x-amz-json-1.0
	JSON11                   // X-Amz-Target, application/x-amz-json-1.1
	Query                    // form in, XML out
	RESTJSON                 // method and path, JSON both ways
	EC2                      // form in with numbered lists, XML out: Amazon EC2 alone speaks it
	CBOR                     // Smithy RPC v2: /service/NAME/operation/NAME, CBOR both ways
	RESTXML                  // method and path, XML both ways
)

// Service is one AWS service: its names on the wire and its operations.
type Service struct {
	Name        string // signing name, as in the credential scope
	Target      string // JSON protocols: X-Amz-Target prefix, for example CodePipeline_20150709
	Version     string // API version, for example 2015-07-09; the Query protocol checks it
	Namespace   string // Query and REST-XML: XML namespace of the replies
	Protocol    Protocol
	EventSource string // as CloudTrail names it
	Text        string // JSON protocols: the member that carries an error's text; "" for the protocol's usual one
	// Texts are the members for the text of single errors whose shapes depart from that, by code.
	Texts map[string]string
	// Also are further protocols that the service is spoken to in, of JSON10 and CBOR; it needs a Target for them.
	Also []Protocol
	// Shapes are the names that JSON and CBOR have for the errors of a Query service, by their codes; nil for all others.
	Shapes map[string]string
	// Items are the element names of the lists of a REST-XML service, by the name of the list.
	Items  map[string]string
	Global bool // one endpoint for all Regions: its events land in us-east-1
	Ops    map[string]*Op
	// Encode hides the details of a refused write in a message that follows AWS's own sentence; nil: nothing follows. EC2
	// does so: https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
	Encode func(Principal, Access, Decision) string
	// Bare is of S3 alone: its errors stand without an envelope, have names of their own, and its buckets may be named by the host.
	Bare bool
	// Reword gives code and text of a refusal for want of permission where the service words it in its own way; nil: as others do.
	Reword func(text string) (code, reworded string)
}

// Op is one operation of a service.
type Op struct {
	Name   string
	Method string // RESTJSON, RESTXML: HTTP method
	Path   string // RESTJSON, RESTXML: path, with {Member} labels
	Status int    // RESTXML: HTTP status of success; 0: 200
	// Headers are the members of a RESTXML reply that travel in headers: member to header.
	Headers  map[string]string
	Query    string            // RESTXML: a parameter that the query string must have; "" for operations that none tells apart
	Given    map[string]string // RESTXML: members of the input that travel in headers: member to header
	Root     string            // RESTXML: the root of the reply; "": the operation's name and Response, "-": the reply has no body
	Whole    string            // RESTXML: the member that is the whole body, of the request and of the reply, as text
	ReadOnly bool
	Data     bool // a data event: the event history does not show it
	Open     bool // needs no permission (sts:GetCallerIdentity)
	// Console marks what only the AWS console can do (the handshake): it is authorised and logged like any operation,
	// but no API client can call it.
	Console bool
	// Access lists what the caller must be allowed; nil means Service:Op on "*". All entries must be allowed.
	Access func(*Request) []Access
	// Do answers the call. It runs under the lock, after authorisation. Values: string, bool, int, int64, float64,
	// time.Time, []any, []string, []map[string]any, map[string]any; nil values are left out on the wire.
	Do func(*Request) (map[string]any, error)
	// Rate is the service's own limit in calls per second, per account and Region; 0 means none.
	Rate float64
}

// Access is one thing to be allowed: an IAM action on a resource ARN ("*" where the action knows no resources), with
// the request's condition keys beyond the global ones.
type Access struct {
	Action, Resource string
	Context          map[string][]string
}

// Decision is the answer of an Authorizer. Why is AWS's own clause, for example
// "because no identity-based policy allows the codeconnections:GetConnection action".
type Decision struct {
	Allowed bool
	Why     string
}

// Authorizer judges whether a principal may do something; the IAM service is one.
type Authorizer interface {
	Authorize(Principal, Access) Decision
}

// Request is one call as a service sees it: decoded and known to come from Caller.
type Request struct {
	Cloud     *Cloud
	ID        string
	Time      time.Time
	Service   string // signing name
	Operation string
	Region    string
	Caller    Principal
	KeyID     string // access key ID the request was signed with, "" when it is not known
	Origin    Origin
	In        map[string]any // as on the wire, decoded; never nil; numbers are json.Number-free float64
	stopped   bool           // at a VPC endpoint: the service never saw it
}

// Account is the caller's account ID.
func (r *Request) Account() string { return r.Caller.Account }

// Str returns a string member of the input, "" when absent.
func (r *Request) Str(name string) string {
	s, _ := r.In[name].(string)
	return s
}

// Int returns a number member of the input; def when absent. Form posts carry numbers as text.
func (r *Request) Int(name string, def int) int {
	switch v := r.In[name].(type) {
	case float64:
		return int(v)
	case int:
		return v
	case string:
		var n int
		if _, err := fmt.Sscanf(v, "%d", &n); err == nil {
			return n
		}
	}
	return def
}

// Bool returns a boolean member of the input, false when absent.
func (r *Request) Bool(name string) bool {
	switch v := r.In[name].(type) {
	case bool:
		return v
	case string:
		return v == "true"
	}
	return false
}

// Map returns a structure member of the input, nil when absent.
func (r *Request) Map(name string) map[string]any {
	m, _ := r.In[name].(map[string]any)
	return m
}

// List returns a list member of the input, nil when absent.
func (r *Request) List(name string) []any {
	l, _ := r.In[name].([]any)
	return l
}

// Error is an error as AWS answers it. Code is a name of the service's model, or one of the common codes below,
// which the wire spells as the protocol demands.
type Error struct {
	Code    string
	Message string
	Status  int            // 0: 400, or what the common code demands
	More    map[string]any // JSON protocols: further members of the error's shape
	Headers map[string]string
}

// The common errors that any operation can answer with; wire names differ by protocol.
const (
	AccessDenied       = "AccessDenied"
	Throttling         = "Throttling"
	ExpiredToken       = "ExpiredToken"
	UnrecognizedClient = "UnrecognizedClient"
	InvalidSignature   = "InvalidSignature"
	UnknownOperation   = "UnknownOperation"
	InternalFailure    = "InternalFailure"
	ValidationError    = "Validation"
	OptInRequired      = "OptInRequired"
)

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf makes an Error.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Register adds a service; a second one of the same signing name is a programming error.
func (c *Cloud) Register(s *Service) {
	if c.services[s.Name] != nil {
		panic("cloud: service registered twice: " + s.Name)
	}
	for name, op := range s.Ops {
		op.Name = name
	}
	c.services[s.Name] = s
}

// SetAuthorizer sets who judges access. Without one everything is allowed.
func (c *Cloud) SetAuthorizer(a Authorizer) { c.authz = a }

// Service finds a service by its signing name; nil when the lab does not serve it.
func (c *Cloud) Service(name string) *Service { return c.services[name] }

// Services lists the registered services by name.
func (c *Cloud) Services() []*Service {
	var all []*Service
	for _, s := range c.services {
		all = append(all, s)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// Authorize judges one access, with the global condition keys filled in.
func (c *Cloud) Authorize(p Principal, region string, a Access) Decision {
	if c.authz == nil {
		return Decision{Allowed: true}
	}
	ctx := map[string][]string{
		"aws:PrincipalAccount": {p.Account}, "aws:PrincipalArn": {p.Source}, "aws:PrincipalType": {p.Type},
		"aws:RequestedRegion": {region}, "aws:CurrentTime": {c.Now().UTC().Format(time.RFC3339)},
	}
	for k, v := range a.Context {
		ctx[k] = v
	}
	a.Context = ctx
	return c.authz.Authorize(p, a)
}

// Serve answers one call: rate, authorisation, the operation itself, the event. Over HTTP, by a console page, by a
// world's act or by another service, every call takes this path. The lock is held.
func (c *Cloud) Serve(r *Request) (map[string]any, error) {
	r.Cloud = c
	if r.Time.IsZero() {
		r.Time = c.Now()
	}
	if r.ID == "" {
		r.ID = c.UUID()
	}
	if r.In == nil {
		r.In = map[string]any{}
	}
	svc := c.services[r.Service]
	if svc == nil || svc.Ops[r.Operation] == nil {
		return nil, Errorf(UnknownOperation, "The operation %s is not valid for this web service.", r.Operation)
	}
	op := svc.Ops[r.Operation]
	out, err := c.answer(svc, op, r)
	if !r.stopped {
		c.record(svc, op, r, out, err)
		for _, f := range c.served {
			f(r, out, err)
		}
	}
	return out, err
}

// Refuse answers a call of a known operation with an error that comes from outside the operation (a quota, an injected
// refusal): logged like any answer, returned as it is. The lock is held.
func (c *Cloud) Refuse(r *Request, err error) error {
	svc := c.services[r.Service]
	c.record(svc, svc.Ops[r.Operation], r, nil, err)
	return err
}

// Needs lists what the caller of an operation must be allowed.
func (o *Op) Needs(service string, r *Request) []Access {
	if o.Access != nil {
		return o.Access(r)
	}
	return []Access{{Action: service + ":" + o.Name, Resource: "*"}}
}

func (c *Cloud) answer(svc *Service, op *Op, r *Request) (map[string]any, error) {
	if op.Rate > 0 && c.overRate(svc, op, r) {
		return nil, Errorf(Throttling, "Rate exceeded")
	}
	if !op.Open || op.Access != nil {
		for _, a := range op.Needs(svc.Name, r) {
			a = r.through(a)
			if !op.Open {
				if d := c.Authorize(r.Caller, r.Region, a); !d.Allowed {
					return nil, svc.denied(op, r.Caller, a, d)
				}
			}
			if err := c.gate(r, a); err != nil {
				return nil, err
			}
		}
	}
	return op.Do(r)
}

func (s *Service) denied(op *Op, p Principal, a Access, d Decision) *Error {
	e := Denied(p, a, d)
	if s.Encode != nil && !op.ReadOnly {
		e.Message += ". " + s.Encode(p, a, d)
	}
	return e
}

// Denied words a refusal as AWS does.
func Denied(p Principal, a Access, d Decision) *Error {
	on := ""
	if a.Resource != "" {
		on = " on resource: " + a.Resource
	}
	why := ""
	if d.Why != "" {
		why = " " + d.Why
	}
	return Errorf(AccessDenied, "User: %s is not authorized to perform: %s%s%s", p.ARN, a.Action, on, why)
}

func (c *Cloud) overRate(svc *Service, op *Op, r *Request) bool {
	n := 0
	for i := len(c.ledger) - 1; i >= 0; i-- {
		k := c.ledger[i]
		if c.Now().Sub(k.End) >= time.Second { // End, unlike Start, grows along the ledger
			break
		}
		if k.Service == svc.Name && k.Operation == op.Name && k.Account == r.Account() && k.Region == r.Region && k.ErrorCode == "" {
			n++
		}
	}
	return float64(n) >= op.Rate
}

// Call is one entry of the ledger: a call that reached the lab over HTTP.
type Call struct {
	Start, End                          time.Time
	RequestID                           string
	Service, Operation, Account, Region string
	Caller                              string // principal ARN
	ReadOnly                            bool
	ErrorCode                           string // as on the wire; "" when it succeeded
	Injected                            string // the kind of an injected error, "" when none
	In                                  map[string]any
}

// Log adds a served call to the ledger.
func (c *Cloud) Log(k Call) { c.ledger = append(c.ledger, k) }

// Ledger returns the calls served over HTTP so far, in the order they were answered.
func (c *Cloud) Ledger() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Call(nil), c.ledger...)
}

// Injection is an error to inject into matching calls.
type Injection struct {
	Service   string        // signing name; "" matches all
	Operation string        // "" matches all
	Kind      string        // denied throttled expired reset timeout html half unknown-operation lost-reply slow
	Skip      int           // let so many matching calls pass first
	Times     int           // then strike so many times; 0 means always
	Delay     time.Duration // slow, timeout: how long
	// Only narrows it to calls in some Regions or with some input; nil: every call. It runs under the lock.
	Only func(region string, in map[string]any) bool
}

// Strike finds the injection for a call and counts it; nil when the call is to be left alone.
func (c *Cloud) Strike(service, operation, region string, input map[string]any) *Injection {
	for i, in := range c.Injections {
		if (in.Service != "" && in.Service != service) || (in.Operation != "" && in.Operation != operation) {
			continue
		}
		if in.Only != nil && !in.Only(region, input) {
			continue
		}
		if in.Skip > 0 {
			in.Skip--
			continue
		}
		if in.Times == 1 {
			c.Injections = append(c.Injections[:i:i], c.Injections[i+1:]...)
		} else if in.Times > 1 {
			in.Times--
		}
		return in
	}
	return nil
}

// Page cuts one page out of all entries. The token is opaque to callers; an unknown one is refused with code.
func Page[T any](c *Cloud, all []T, token string, want, max int, code string) (page []T, next string, err error) {
	start := 0
	if token != "" {
		if _, e := fmt.Sscanf(strings.TrimPrefix(token, "lab-page-"), "%d", &start); e != nil || start < 0 || start > len(all) || !strings.HasPrefix(token, "lab-page-") {
			return nil, "", Errorf(code, "The next token is not valid.")
		}
	}
	n := max
	if want > 0 && want < n {
		n = want
	}
	if c.PageSize > 0 && c.PageSize < n {
		n = c.PageSize
	}
	end := min(start+n, len(all))
	if end < len(all) {
		next = fmt.Sprintf("lab-page-%d", end)
	}
	return all[start:end], next, nil
}
