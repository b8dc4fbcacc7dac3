// Package sns simulates Amazon SNS: standard topics, who subscribes to them, and the messages that were published, kept for
// whoever wants to read them. It never delivers a message to anybody.
package sns

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/unjam/unjam/lab/cloud"
)

// The quotas of https://docs.aws.amazon.com/general/latest/gr/sns.html and of the API reference's pages of Publish and ListTopics.
const (
	maxMessage = 256 << 10 // bytes, attributes included
	maxSubject = 100       // characters
	maxPage    = 100
)

// The error codes of the API model, as they are on the wire.
const (
	invalid  = "InvalidParameter"
	notFound = "NotFound"
)

// Message is a published message.
type Message struct {
	ID            string
	Topic         string // ARN
	Subject, Text string
	Structure     string            // "json" when Text has one text per protocol
	Attributes    map[string]string // string values by name
	At            time.Time
	Publisher     string // principal ARN
}

// Subscription is an endpoint that a topic's messages would go to.
type Subscription struct {
	ARN, Topic         string
	Protocol, Endpoint string
	Owner              string // account ID
	Confirmed          bool   // email and web endpoints wait for somebody to confirm, who never comes
}

type topic struct {
	arn, account, region, name string
	tags                       map[string]string
}

// Service is SNS in every account and Region. Its methods are called with the cloud's lock held.
type Service struct {
	c             *cloud.Cloud
	topics        []*cloud.Lagged[topic]
	subscriptions []Subscription
	messages      []Message
}

// New registers the service on a cloud.
func New(c *cloud.Cloud) *Service {
	s := &Service{c: c}
	c.Register(&cloud.Service{
		Name: "sns", Version: "2010-03-31", Protocol: cloud.Query, Namespace: "http://sns.amazonaws.com/doc/2010-03-31/", EventSource: "sns.amazonaws.com",
		Reword: func(text string) (string, string) {
			return "AuthorizationError", strings.ReplaceAll(text, " sns:", " SNS:")
		},
		Ops: map[string]*cloud.Op{
			"CreateTopic":              {Access: onNew, Do: s.createTopic},
			"ListTopics":               {ReadOnly: true, Do: s.listTopics},
			"Subscribe":                {Access: onTopic("Subscribe"), Do: s.subscribe},
			"ListSubscriptionsByTopic": {ReadOnly: true, Access: onTopic("ListSubscriptionsByTopic"), Do: s.listSubscriptions},
			"Publish":                  {Data: true, Access: onTopic("Publish"), Do: s.publish},
		},
	})
	return s
}

// onNew is the access to the topic that is to be created.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
func onNew(r *cloud.Request) []cloud.Access {
	return []cloud.Access{{Action: "sns:CreateTopic", Resource: topicARN(r.Region, r.Account(), orElse(r.Str("Name"), "*"))}}
}

func onTopic(op string) func(*cloud.Request) []cloud.Access {
	return func(r *cloud.Request) []cloud.Access {
		return []cloud.Access{{Action: "sns:" + op, Resource: orElse(target(r), "*")}}
	}
}

// target is the topic that a request names. Publish takes it under either of two names.
func target(r *cloud.Request) string { return orElse(r.Str("TopicArn"), r.Str("TargetArn")) }

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func topicARN(region, account, name string) string {
	return "arn:aws:sns:" + region + ":" + account + ":" + name
}

// AddTopic states a topic and returns its ARN; one that exists stays as it is.
func (s *Service) AddTopic(account, region, name string) (string, error) {
	arn := topicARN(region, account, name)
	if !validName(name) {
		return "", fmt.Errorf("add topic %s: a name has 1 to 256 letters, digits, - and _", name)
	}
	if _, ok := s.truth(arn); !ok {
		s.put(topic{arn: arn, account: account, region: region, name: name})
	}
	return arn, nil
}

// Messages are all messages that were published to a topic, oldest first; those of every topic when the ARN is "".
func (s *Service) Messages(topicARN string) []Message {
	var all []Message
	for _, m := range s.messages {
		if topicARN == "" || m.Topic == topicARN {
			all = append(all, m)
		}
	}
	return all
}

// Subscriptions are all subscriptions to a topic, oldest first.
func (s *Service) Subscriptions(topicARN string) []Subscription {
	var all []Subscription
	for _, x := range s.subscriptions {
		if x.Topic == topicARN {
			all = append(all, x)
		}
	}
	return all
}

func (s *Service) put(t topic) {
	l := &cloud.Lagged[topic]{}
	l.Set(s.c, t)
	s.topics = append(s.topics, l)
}

func (s *Service) truth(arn string) (topic, bool) {
	for _, l := range s.topics {
		if t, ok := l.Truth(); ok && t.arn == arn {
			return t, true
		}
	}
	return topic{}, false
}

func validName(name string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`).MatchString(name)
}

func refuse(what string) error { return cloud.Errorf(invalid, "Invalid parameter: %s", what) }

// createTopic answers with the topic that exists when there is one of the same name and tags.
func (s *Service) createTopic(r *cloud.Request) (map[string]any, error) {
	t := topic{account: r.Account(), region: r.Region, name: r.Str("Name"), tags: map[string]string{}}
	t.arn = topicARN(t.region, t.account, t.name)
	if !validName(t.name) {
		return nil, refuse("Topic Name")
	}
	if attributes(r)["FifoTopic"] == "true" {
		return nil, refuse("Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.")
	}
	for _, x := range r.List("Tags") {
		m, _ := x.(map[string]any)
		key, _ := m["Key"].(string)
		value, ok := m["Value"].(string)
		if key == "" || !ok || utf8.RuneCountInString(key) > 128 || utf8.RuneCountInString(value) > 256 {
			return nil, refuse("Tags Reason: a tag has a key of 1 to 128 characters and a value of up to 256")
		}
		t.tags[key] = value
	}
	if old, ok := s.truth(t.arn); ok {
		if len(t.tags) > 0 && fmt.Sprint(old.tags) != fmt.Sprint(t.tags) {
			return nil, refuse("Tags Reason: Topic already exists with different tags")
		}
		return map[string]any{"TopicArn": t.arn}, nil
	}
	s.put(t)
	return map[string]any{"TopicArn": t.arn}, nil
}

// attributes are the entries of a map of texts in a form.
func attributes(r *cloud.Request) map[string]string {
	all := map[string]string{}
	for _, x := range r.List("Attributes") {
		m, _ := x.(map[string]any)
		key, _ := m["key"].(string)
		all[key], _ = m["value"].(string)
	}
	return all
}

// page cuts a page of the service's fixed size: callers cannot choose one.
func page[T any](r *cloud.Request, all []T) ([]T, string, error) {
	p, next, err := cloud.Page(r.Cloud, all, r.Str("NextToken"), 0, maxPage, invalid)
	if err != nil {
		return nil, "", refuse("NextToken Reason: Token is invalid")
	}
	return p, next, nil
}

func (s *Service) listTopics(r *cloud.Request) (map[string]any, error) {
	var arns []string
	for _, l := range s.topics {
		if t, ok := l.Seen(s.c); ok && t.account == r.Account() && t.region == r.Region {
			arns = append(arns, t.arn)
		}
	}
	slices.Sort(arns)
	part, next, err := page(r, arns)
	if err != nil {
		return nil, err
	}
	topics := []any{}
	for _, arn := range part {
		topics = append(topics, map[string]any{"TopicArn": arn})
	}
	return withToken(map[string]any{"Topics": topics}, next), nil
}

func withToken(out map[string]any, next string) map[string]any {
	if next != "" {
		out["NextToken"] = next
	}
	return out
}

// topic finds the topic that a request names: it must be one of the Region that is called.
func (s *Service) topic(r *cloud.Request, arn string) (topic, error) {
	p := strings.Split(arn, ":")
	if len(p) != 6 || p[2] != "sns" || p[3] != r.Region {
		return topic{}, refuse("TopicArn")
	}
	t, ok := s.truth(arn)
	if !ok {
		return topic{}, &cloud.Error{Code: notFound, Message: "Topic does not exist", Status: 404}
	}
	return t, nil
}

func (s *Service) subscribe(r *cloud.Request) (map[string]any, error) {
	protocol, endpoint := r.Str("Protocol"), r.Str("Endpoint")
	if !slices.Contains([]string{"http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"}, protocol) {
		return nil, refuse("Does not support this protocol string: " + protocol)
	}
	t, err := s.topic(r, r.Str("TopicArn"))
	if err != nil {
		return nil, err
	}
	if endpoint == "" {
		return nil, refuse("Endpoint")
	}
	i := slices.IndexFunc(s.subscriptions, func(x Subscription) bool { return x.Topic == t.arn && x.Protocol == protocol && x.Endpoint == endpoint })
	if i < 0 {
		i = len(s.subscriptions)
		s.subscriptions = append(s.subscriptions, Subscription{ARN: t.arn + ":" + s.c.UUID(), Topic: t.arn, Protocol: protocol, Endpoint: endpoint, Owner: r.Account(),
			Confirmed: !strings.HasPrefix(protocol, "http") && !strings.HasPrefix(protocol, "email")})
	}
	arn := s.subscriptions[i].ARN
	if !s.subscriptions[i].Confirmed && !r.Bool("ReturnSubscriptionArn") {
		arn = "pending confirmation"
	}
	return map[string]any{"SubscriptionArn": arn}, nil
}

func (s *Service) listSubscriptions(r *cloud.Request) (map[string]any, error) {
	t, err := s.topic(r, r.Str("TopicArn"))
	if err != nil {
		return nil, err
	}
	part, next, err := page(r, s.Subscriptions(t.arn))
	if err != nil {
		return nil, err
	}
	all := []any{}
	for _, x := range part {
		arn := x.ARN
		if !x.Confirmed {
			arn = "PendingConfirmation"
		}
		all = append(all, map[string]any{"SubscriptionArn": arn, "Owner": x.Owner, "Protocol": x.Protocol, "Endpoint": x.Endpoint, "TopicArn": x.Topic})
	}
	return withToken(map[string]any{"Subscriptions": all}, next), nil
}

// publish keeps a message.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
func (s *Service) publish(r *cloud.Request) (map[string]any, error) {
	if err := judge(r); err != nil {
		return nil, err
	}
	t, err := s.topic(r, target(r))
	if err != nil {
		return nil, err
	}
	m := Message{ID: s.c.UUID(), Topic: t.arn, Subject: r.Str("Subject"), Text: r.Str("Message"), Structure: r.Str("MessageStructure"),
		Attributes: map[string]string{}, At: s.c.Now(), Publisher: r.Caller.ARN}
	for _, x := range r.List("MessageAttributes") {
		entry, _ := x.(map[string]any)
		name, _ := entry["Name"].(string)
		value, _ := entry["Value"].(map[string]any)
		text, _ := value["StringValue"].(string)
		m.Attributes[name] = text
	}
	s.messages = append(s.messages, m)
	return map[string]any{"MessageId": m.ID}, nil
}

// judge says what is wrong with a message before anybody looks for the topic.
func judge(r *cloud.Request) error {
	text, subject := r.Str("Message"), r.Str("Subject")
	switch {
	case r.Str("PhoneNumber") != "":
		return refuse("PhoneNumber Reason: the lab sends no text messages")
	case target(r) == "" || r.Str("TopicArn") != "" && r.Str("TargetArn") != "":
		return refuse("TopicArn or TargetArn Reason: no value for required parameter")
	case text == "":
		return refuse("Empty message")
	case len(text) > maxMessage:
		return refuse("Message too long")
	case r.In["Subject"] != nil && !validSubject(subject):
		return refuse("Subject")
	case !slices.Contains([]string{"", "json"}, r.Str("MessageStructure")):
		return refuse("MessageStructure")
	case r.Str("MessageStructure") == "json":
		return judgeStructure(text)
	}
	return nil
}

// validSubject: ASCII without control characters, that begins with a letter, a digit or a punctuation mark.
func validSubject(subject string) bool {
	return regexp.MustCompile(fmt.Sprintf(`^[!-~][ -~]{0,%d}$`, maxSubject-1)).MatchString(subject)
}

func judgeStructure(text string) error {
	var by map[string]any
	if json.Unmarshal([]byte(text), &by) != nil {
		return refuse("Message Structure - JSON message body failed to parse")
	}
	if _, ok := by["default"].(string); !ok {
		return refuse("Message Structure - No default entry in JSON message body")
	}
	return nil
}
