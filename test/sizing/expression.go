package sizing

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"strconv"
)

// evaluate computes a formula in Go's syntax: numbers, names of values, + - * /, comparisons and the functions.
func evaluate(formula string, values map[string]float64, functions map[string]function) (float64, error) {
	e, err := parser.ParseExpr(formula)
	if err != nil {
		return 0, fmt.Errorf("formula %q: %w", formula, err)
	}
	v, err := (&evaluator{values, functions}).value(e)
	if err != nil {
		return 0, fmt.Errorf("formula %q: %w", formula, err)
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("formula %q: the result is %v", formula, v)
	}
	return v, nil
}

// function is one that formulas may call.
type function func(args ...float64) (float64, error)

type evaluator struct {
	values    map[string]float64
	functions map[string]function
}

func (e *evaluator) value(x ast.Expr) (float64, error) {
	switch x := x.(type) {
	case *ast.BasicLit:
		return strconv.ParseFloat(x.Value, 64)
	case *ast.Ident:
		v, ok := e.values[x.Name]
		if !ok {
			return 0, fmt.Errorf("nothing is called %s", x.Name)
		}
		return v, nil
	case *ast.ParenExpr:
		return e.value(x.X)
	case *ast.BinaryExpr:
		return e.binary(x)
	case *ast.CallExpr:
		return e.call(x)
	}
	return 0, fmt.Errorf("%T has no place here", x)
}

func (e *evaluator) binary(x *ast.BinaryExpr) (float64, error) {
	a, err := e.value(x.X)
	if err != nil {
		return 0, err
	}
	b, err := e.value(x.Y)
	if err != nil {
		return 0, err
	}
	switch x.Op {
	case token.ADD:
		return a + b, nil
	case token.SUB:
		return a - b, nil
	case token.MUL:
		return a * b, nil
	case token.QUO:
		return a / b, nil
	case token.LEQ:
		return truth(a <= b), nil
	}
	return 0, fmt.Errorf("no operator %s", x.Op)
}

func (e *evaluator) call(x *ast.CallExpr) (float64, error) {
	name, ok := x.Fun.(*ast.Ident)
	if !ok || e.functions[name.Name] == nil {
		return 0, fmt.Errorf("no function %v", x.Fun)
	}
	args := make([]float64, len(x.Args))
	for i, a := range x.Args {
		v, err := e.value(a)
		if err != nil {
			return 0, err
		}
		args[i] = v
	}
	v, err := e.functions[name.Name](args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name.Name, err)
	}
	return v, nil
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// basic are the functions that need nothing but their arguments.
var basic = map[string]function{
	// A billionth is forgiven: 0.1 * 30 must not make a fourth of three hosts.
	"ceil":  unary(func(v float64) float64 { return math.Ceil(v - 1e-9*math.Abs(v)) }),
	"floor": unary(func(v float64) float64 { return math.Floor(v + 1e-9*math.Abs(v)) }),
	"min":   reduce(math.Min),
	"max":   reduce(math.Max),
	// when(condition, a, b) is a where the condition holds, else b.
	"when": func(args ...float64) (float64, error) {
		if len(args) != 3 {
			return 0, fmt.Errorf("3 arguments are needed, got %d", len(args))
		}
		if args[0] != 0 {
			return args[1], nil
		}
		return args[2], nil
	},
}

func unary(f func(float64) float64) function {
	return func(args ...float64) (float64, error) {
		if len(args) != 1 {
			return 0, fmt.Errorf("1 argument is needed, got %d", len(args))
		}
		return f(args[0]), nil
	}
}

func reduce(f func(a, b float64) float64) function {
	return func(args ...float64) (float64, error) {
		if len(args) == 0 {
			return 0, fmt.Errorf("arguments are needed")
		}
		v := args[0]
		for _, a := range args[1:] {
			v = f(v, a)
		}
		return v, nil
	}
}
