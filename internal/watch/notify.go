package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
)

// NoticeSchema names the form of a notice.
const NoticeSchema = "unjam/notice/v1"

// Kind is what a notice is about.
type Kind string

// The kinds of notices.
const (
	Trouble Kind = "trouble" // something is wrong that was not wrong at the check before
	Over    Kind = "over"    // it is over
	Closing Kind = "closing" // the watch has ended
)

// Notice is what is told, once for each trouble and its end.
type Notice struct {
	Schema  string    `json:"schema"`
	Run     string    `json:"run"`
	Account string    `json:"account"`
	At      time.Time `json:"at"`
	Kind    Kind      `json:"kind"`
	ID      string    `json:"id,omitempty"` // stays the same from trouble to over
	Text    string    `json:"text"`
}

// Notifier tells somebody. Name is for people and holds no secret: the path of a webhook is one.
type Notifier interface {
	Name() string
	Notify(context.Context, Notice) error
}

// Publish publishes a message to an SNS topic.
type Publish func(ctx context.Context, topicARN, subject, message string) error

// Parse reads where to tell: https://HOST/... gets the notice as JSON, slack:https://HOST/... as Slack's text, sns:TOPIC_ARN as a message.
// Plain http is for this machine only. The error is ErrNotify, and never repeats what it was given: it may hold a token.
func Parse(text string, publish Publish) (Notifier, error) {
	kind, rest, _ := strings.Cut(text, ":")
	switch kind {
	case "sns":
		a, err := fact.ParseARN(rest)
		if err != nil || a.Service != "sns" || a.Resource == "" {
			return nil, ErrNotify
		}
		return topic{rest, publish}, nil
	case "slack":
		text = rest
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return nil, ErrNotify
	}
	return &hook{url: u, slack: kind == "slack", wait: 2 * time.Second, client: &http.Client{Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// topic is an SNS topic. A subject has at most 100 characters of ASCII (API_Publish).
type topic struct {
	arn     string
	publish Publish
}

func (t topic) Name() string { return t.arn }

func (t topic) Notify(ctx context.Context, n Notice) error {
	b, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return fmt.Errorf("write notice: %w", err)
	}
	return t.publish(ctx, t.arn, "unjam "+string(n.Kind)+": run "+n.Run, n.Text+"\n\n"+string(b))
}

// hook is a webhook.
type hook struct {
	url    *url.URL
	slack  bool
	client *http.Client
	wait   time.Duration // before the second attempt, and twice as long before the third
}

func (h *hook) Name() string { return h.url.Host }

// attempts is how often a webhook is tried: it is told "wait" or does not answer.
const attempts = 3

func (h *hook) Notify(ctx context.Context, n Notice) error {
	var body any = n
	if h.slack {
		body = map[string]string{"text": fmt.Sprintf("unjam %s, run %s, account %s: %s", n.Kind, n.Run, n.Account, n.Text)}
	}
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write notice: %w", err)
	}
	for i := 1; ; i++ {
		again, err := h.post(ctx, b)
		if err == nil || !again || i == attempts {
			return err
		}
		if serr := sleep(ctx, time.Duration(i)*h.wait); serr != nil {
			return serr
		}
	}
}

// post sends the body once; again says whether another try may help.
func (h *hook) post(ctx context.Context, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url.String(), bytes.NewReader(body))
	if err != nil {
		return false, errors.New("make request: the address is malformed")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := h.client.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // without the address, which may hold a token
		}
		return true, fmt.Errorf("post: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	if resp.StatusCode/100 == 2 {
		return false, nil
	}
	return resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500, fmt.Errorf("post: it answered %s", resp.Status)
}
