package fact

import (
	"strings"
	"time"
)

// ConnectionSource is the provider name of source actions that use a connection; the rename of 2024 left it as it was.
const ConnectionSource = "CodeStarSourceConnection"

// PipelineListed is a pipeline as ListPipelines shows it.
type PipelineListed struct {
	Seen
	Name    string    `json:"name"`
	Version int       `json:"version"`
	Updated time.Time `json:"updated,omitzero"`
}

// Pipeline is a pipeline's definition as GetPipeline shows it, without values that may be secret.
type Pipeline struct {
	Seen
	ARN        string    `json:"arn"`
	Name       string    `json:"name"`
	Version    int       `json:"version"`
	RoleARN    string    `json:"roleArn"`
	Type       string    `json:"type"`          // V1 or V2
	Mode       string    `json:"executionMode"` // SUPERSEDED, QUEUED or PARALLEL
	Created    time.Time `json:"created,omitzero"`
	Updated    time.Time `json:"updated,omitzero"`
	Triggers   []Trigger `json:"triggers,omitempty"`
	Stages     []Stage   `json:"stages"`
	Stores     []Store   `json:"stores,omitempty"` // artifact stores, one for each Region
	Definition Digest    `json:"definition"`       // digest of the raw declaration
	// Declaration is the same without its version, which every update raises.
	Declaration Digest `json:"declaration"`
}

// Stage is a stage of a definition.
type Stage struct {
	Name    string   `json:"name"`
	Actions []Action `json:"actions"`
}

// Action is an action of a definition.
type Action struct {
	Name     string `json:"name"`
	Category string `json:"category"`
	Owner    string `json:"owner"`
	Provider string `json:"provider"`
	Version  string `json:"version"`
	Region   string `json:"region,omitempty"`
	RoleARN  string `json:"roleArn,omitempty"`
	RunOrder int    `json:"runOrder"`
	// Timeout is the action's own timeoutInMinutes; zero: the default of its provider.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Connection source actions only:
	Connection    string `json:"connection,omitempty"` // configuration ConnectionArn
	Repository    string `json:"repository,omitempty"` // FullRepositoryId; of an ECR source: RepositoryName
	Branch        string `json:"branch,omitempty"`     // BranchName
	DetectChanges string `json:"detectChanges,omitempty"`
	FullClone     bool   `json:"fullClone,omitempty"` // OutputArtifactFormat CODEBUILD_CLONE_REF
	// Actions of custom types only: the names of what they are configured with, and how many artifacts go in and out.
	Configured []string `json:"configured,omitempty"`
	Inputs     int      `json:"inputs,omitempty"`
	Outputs    int      `json:"outputs,omitempty"`
	// ImageTag is the tag that an ECR source action watches.
	ImageTag string `json:"imageTag,omitempty"`
	// Project is the project of a CodeBuild action.
	Project string `json:"project,omitempty"`
	// CloudFormation actions only:
	StackName    string `json:"stackName,omitempty"`
	StackMode    string `json:"stackMode,omitempty"`    // ActionMode: CREATE_UPDATE, REPLACE_ON_FAILURE, CHANGE_SET_REPLACE ...
	StackRole    string `json:"stackRole,omitempty"`    // RoleArn that is handed over to CloudFormation
	ChangeSet    string `json:"changeSet,omitempty"`    // ChangeSetName
	Template     string `json:"template,omitempty"`     // TemplatePath, ARTIFACT::FILE
	Capabilities string `json:"capabilities,omitempty"` // acknowledged, with commas between them
	// Manual approvals only: the SNS topic that is told, what the approver is told, and the page to look at.
	Topic      string `json:"topic,omitempty"`      // configuration NotificationArn
	CustomData string `json:"customData,omitempty"` // shown to every approver
	ReviewLink string `json:"reviewLink,omitempty"` // ExternalEntityLink
	// Certificates are the ARNs of the ACM certificates that the configuration names.
	Certificates []string `json:"certificates,omitempty"`
}

// Uses reports whether the action is a source action on the connection.
func (a Action) Uses(connectionARN string) bool {
	return a.Provider == ConnectionSource && a.Connection == connectionARN
}

// Sources yields the stage and action of every source action that uses a connection.
func (p Pipeline) Sources(yield func(Stage, Action) bool) {
	for _, s := range p.Stages {
		for _, a := range s.Actions {
			if a.Provider == ConnectionSource && a.Connection != "" && !yield(s, a) {
				return
			}
		}
	}
}

// UsesConnection reports whether a source action of the pipeline uses the connection.
func (p Pipeline) UsesConnection(arn string) bool {
	for _, a := range p.Sources {
		if a.Connection == arn {
			return true
		}
	}
	return false
}

// StagesBehind are the names of the stages after the first one that holds the connection's source action.
func (p Pipeline) StagesBehind(connectionARN string) []string {
	for i, s := range p.Stages {
		for _, a := range s.Actions {
			if a.Uses(connectionARN) {
				var names []string
				for _, later := range p.Stages[i+1:] {
					names = append(names, later.Name)
				}
				return names
			}
		}
	}
	return nil
}

// LooksLikeProduction reports whether a stage name reads as production: prod, prd, production or live as a word.
func LooksLikeProduction(stage string) bool {
	words := strings.FieldsFunc(strings.ToLower(stage), func(r rune) bool { return r == '-' || r == '_' || r == '.' || r == ' ' || r == '@' })
	for _, w := range words {
		switch w {
		case "prod", "prd", "production", "live":
			return true
		}
		if strings.HasSuffix(w, "prod") || strings.HasSuffix(w, "production") || strings.HasPrefix(w, "prod") {
			return true
		}
	}
	return false
}

// PipelineState is a pipeline's state as GetPipelineState shows it.
type PipelineState struct {
	Seen
	Name    string       `json:"name"`
	Version int          `json:"version"`
	Updated time.Time    `json:"updated,omitzero"`
	Stages  []StageState `json:"stages"`
}

// StageState is the state of one stage.
type StageState struct {
	Name              string        `json:"name"`
	TransitionEnabled bool          `json:"transitionEnabled"` // the inbound transition
	DisabledBy        string        `json:"disabledBy,omitempty"`
	DisabledReason    string        `json:"disabledReason,omitempty"`
	DisabledAt        time.Time     `json:"disabledAt,omitzero"`
	Execution         string        `json:"execution,omitempty"` // latest pipelineExecutionId
	Status            string        `json:"status,omitempty"`    // of the latest execution
	Inbound           string        `json:"inbound,omitempty"`   // pipelineExecutionId waiting to enter
	Waiting           []string      `json:"waiting,omitempty"`   // all that wait to enter, Inbound among them, as AWS orders them
	Actions           []ActionState `json:"actions"`
}

// ActionState is the latest run of one action.
type ActionState struct {
	Name      string    `json:"name"`
	ID        string    `json:"id,omitempty"` // actionExecutionId; "" when it never ran
	Status    string    `json:"status,omitempty"`
	Summary   string    `json:"summary,omitempty"`
	External  string    `json:"external,omitempty"` // externalExecutionId: what the provider began for it
	ErrorCode string    `json:"errorCode,omitempty"`
	Error     string    `json:"error,omitempty"` // errorDetails.message
	Changed   time.Time `json:"changed,omitzero"`
	Revision  string    `json:"revision,omitempty"` // currentRevision.revisionId: what a source action took last
}

// Stage finds a stage's state.
func (s PipelineState) Stage(name string) (StageState, bool) {
	for _, st := range s.Stages {
		if st.Name == name {
			return st, true
		}
	}
	return StageState{}, false
}

// Action finds an action's state in the stage.
func (s StageState) Action(name string) (ActionState, bool) {
	for _, a := range s.Actions {
		if a.Name == name {
			return a, true
		}
	}
	return ActionState{}, false
}

// Execution is one run of a pipeline as ListPipelineExecutions shows it.
type Execution struct {
	Seen
	Pipeline string    `json:"pipeline"`
	ID       string    `json:"id"`
	Status   string    `json:"status"`
	Trigger  string    `json:"trigger,omitempty"` // triggerType
	Started  time.Time `json:"started,omitzero"`
	Updated  time.Time `json:"updated,omitzero"`
	// Revisions are what its source actions fetched, by action: for a repository the commit.
	Revisions map[string]string `json:"revisions,omitempty"`
}

// ActionRun is one run of one action as ListActionExecutions shows it.
type ActionRun struct {
	Seen
	Pipeline  string    `json:"pipeline"`
	Execution string    `json:"execution"`
	ID        string    `json:"id"`
	Stage     string    `json:"stage"`
	Action    string    `json:"action"`
	Version   int       `json:"version"` // pipeline version it ran with
	Status    string    `json:"status"`
	Error     string    `json:"error,omitempty"`
	Started   time.Time `json:"started,omitzero"`
	Updated   time.Time `json:"updated,omitzero"`
}
