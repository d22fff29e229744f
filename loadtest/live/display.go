package live

import (
	"os"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
)

const (
	framesPerSecond = 10
	// patience is how long the end of the display may take on a terminal that
	// stands still.
	patience = 2 * time.Second
)

// Display redraws the view on a terminal. It takes no input and leaves the
// terminal's mode alone: Ctrl-C is a signal as ever. None of its methods waits for
// the terminal but Close.
type Display struct {
	program *tea.Program
	wake    chan struct{}
	done    chan struct{}

	mu     sync.Mutex // guards what follows
	status *Status
	lines  []string
	closed bool
}

// Open begins to draw on a terminal.
func Open(terminal *os.File) *Display {
	d := &Display{
		program: tea.NewProgram(model{}, tea.WithOutput(terminal), tea.WithInput(nil), tea.WithFPS(framesPerSecond),
			tea.WithoutSignalHandler(), tea.WithoutCatchPanics()),
		wake: make(chan struct{}, 1),
		done: make(chan struct{}),
	}
	go d.forward()
	go func() {
		defer close(d.done)
		_, _ = d.program.Run() // without the display the run goes on
	}()
	return d
}

// Show draws a status in place of the one before.
func (d *Display) Show(s Status) { d.change(func() { d.status = &s }) }

// Print writes a line above the view, to stay.
func (d *Display) Print(line string) { d.change(func() { d.lines = append(d.lines, line) }) }

// Close wipes the view; the lines printed stay.
func (d *Display) Close() {
	d.change(func() { d.closed = true })
	select {
	case <-d.done:
	case <-time.After(patience):
	}
}

func (d *Display) change(f func()) {
	d.mu.Lock()
	f()
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default: // it is awake
	}
}

// forward hands the program what has changed: of the statuses the latest alone.
func (d *Display) forward() {
	for range d.wake {
		d.mu.Lock()
		lines, status, closed := d.lines, d.status, d.closed
		d.lines, d.status = nil, nil
		d.mu.Unlock()
		for _, line := range lines {
			d.program.Send(tea.Println(line)())
		}
		switch {
		case closed:
			d.program.Send(wiped{})
			d.program.Quit()
			return
		case status != nil:
			d.program.Send(*status)
		}
	}
}

// wiped leaves nothing of the view.
type wiped struct{}

// model is the program's state.
type model struct {
	status *Status // nil for an empty view
	width  int
}

func (m model) Init() tea.Cmd { return nil }

func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width = msg.Width
	case Status:
		m.status = &msg
	case wiped:
		m.status = nil
	}
	return m, nil
}

func (m model) View() tea.View {
	text := ""
	if m.status != nil {
		text = View(*m.status, m.width)
	}
	v := tea.NewView(text)
	// A run that is killed can't restore the terminal, so there must be nothing to
	// restore: the cursor stays visible, behind the last line.
	last := text[strings.LastIndexByte(text, '\n')+1:]
	v.Cursor = tea.NewCursor(min(lipgloss.Width(last), max(m.width-1, 0)), strings.Count(text, "\n"))
	v.DisableBracketedPasteMode = true
	return v
}
