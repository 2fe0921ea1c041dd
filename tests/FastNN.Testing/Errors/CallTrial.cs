using System.Runtime.CompilerServices;
using FastNN.Graphs;
using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>
/// Makes a call with arguments that may be wrong: it is refused by name, or it is recorded, planned, and where it is small run
/// forward and backward.
/// </summary>
internal static class CallTrial
{
    /// <summary>What is run has at most so many bytes.</summary>
    private const long Small = 64 << 10;

    /// <summary>What is wrong with how the call takes its arguments, each made wrong in turn.</summary>
    public static string[] Problems(IDevice device, CallRow row) =>
        [.. row.Mutations.Select(mutation => Problem(device, row, row.With(mutation), [mutation], run: true)).OfType<string>()];

    /// <summary>Null, or what is wrong with how the call took these arguments.</summary>
    /// <param name="device">What plans and runs.</param>
    /// <param name="row">The call.</param>
    /// <param name="arguments">Some replaced.</param>
    /// <param name="mutations">Which, for the words that a message must have; several of which one may be named.</param>
    /// <param name="run">Whether what is accepted and small is run.</param>
    public static string? Problem(IDevice device, CallRow row, object?[] arguments, Mutation[] mutations, bool run)
    {
        string stage = "record";
        return Judged(row, mutations, () => stage, () =>
        {
            var graph = new Graph(GraphMode.Training);
            var inputs = new List<(Value Value, double Number)>();
            Value Input(CallInput operand)
            {
                Value value = graph.Input(operand.Shape, operand.Type);
                inputs.Add((value, operand.Value));
                return value;
            }

            object?[] given = Array.ConvertAll(arguments, argument => argument switch
            {
                CallInput operand => Input(operand),
                CallInput[] operands => Array.ConvertAll(operands, Input),
                _ => argument,
            });
            Value[] outputs = Values(row.Call(given));
            stage = "plan";
            Value? root = outputs.FirstOrDefault(output => output.Type == DType.Float32 && output.Producer is not null);
            Value[] wanted = root is null
                ? []
                : [.. inputs.Select(input => input.Value)
                    .Where(input => input.Type == DType.Float32 && Flows(graph, input, root))];
            var symbols = new SymbolValues();
            symbols.Bind(Dim.Batch, 2);
            Value[] read = [.. outputs.Where(output => output.Producer is not null).Distinct()];
            Parameter[] parameters = [.. graph.Parameters];
            if (!Array.Exists(parameters, parameter => parameter.IsTrainable) && wanted.Length == 0)
            {
                root = null;
            }

            Plan plan = Compiler.Compile(device, graph, symbols, read, root, wanted);
            if (run && plan.PeakBytes <= Small && parameters.Sum(parameter => parameter.Count) <= Small
                && !Array.Exists(read, output => output.Shape.IsSymbolic)
                && inputs.TrueForAll(input => !input.Value.Shape.IsSymbolic) && read.Length > 0)
            {
                stage = "run";
                for (uint i = 0; i < parameters.Length; i++)
                {
                    parameters[i].Initialize(1, i);
                }

                using var execution = new GraphRun(device, graph, read, root, wanted, parameters);
                foreach ((Value value, double number) in inputs)
                {
                    if (plan.Values.ContainsKey(value))
                    {
                        execution.SetNumbers(value, [.. Enumerable.Repeat(number, checked((int)value.Shape.Count))]);
                    }
                }

                execution.Upload();
                execution.Forward();
                if (root is not null)
                {
                    execution.Backward();
                }
            }
        });
    }

    /// <summary>Null, or what is wrong with how a call that records nothing took one argument.</summary>
    public static string? Problem(CallRow row, Mutation[] mutations) =>
        Judged(row, mutations, () => "call", () => row.Call(row.With(mutations)));

    /// <summary>
    /// Null where what is done is refused by name, or works and no argument is a member that no enumeration has.
    /// </summary>
    private static string? Judged(CallRow row, Mutation[] mutations, Func<string> stage, Action done)
    {
        string? fault;
        Exception? refusal = null;
        try
        {
            done();
            fault = Array.Exists(mutations, mutation => mutation.Value is Enum value && !Enum.IsDefined(value.GetType(), value))
                ? "takes an undefined member"
                : null;
        }
        catch (Exception exception)
        {
            (fault, refusal) = (ErrorText.Fault(exception, row, mutations), exception);
        }

        return fault is null
            ? null
            : $"{row.Name}, {string.Join(", ", mutations.AsEnumerable())}: {stage()}: {fault}: {refusal}";
    }

    private static bool Flows(Graph graph, Value input, Value root)
    {
        var reached = new HashSet<Value> { input };
        foreach (Node node in graph.Nodes)
        {
            if (node.Inputs.Where((value, i) => node.Op.IsDifferentiable(i) && reached.Contains(value)).Any())
            {
                reached.UnionWith(node.Outputs.Where(output => output.Type.IsFloat()));
            }
        }

        return reached.Contains(root);
    }

    private static Value[] Values(object result) => result switch
    {
        Value value => [value],
        Value[] values => values,
        ITuple tuple => [.. Enumerable.Range(0, tuple.Length).Select(i => (Value)tuple[i]!)],
        _ => throw new InvalidOperationException($"{result}"),
    };
}
