using System.Globalization;
using System.Runtime.CompilerServices;
using FastNN.Functions;
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

    /// <summary>A call that records several operators may name the one that refused.</summary>
    private static readonly HashSet<string> Public =
        [.. CallRow.Calls.Select(call => call.Name), .. FunctionTable.Binary.Select(function => function.Info.Name)];

    /// <summary>Names of the operators of tests, and of what knows no operator.</summary>
    private static readonly HashSet<string> Ours = ["ScaledSoftsign", "SplitHalves", "DType", "BinaryCrossEntropyWithLogits"];

    /// <summary>Null, or what is wrong with how the call took these arguments.</summary>
    /// <param name="device">What plans and runs.</param>
    /// <param name="row">The call.</param>
    /// <param name="arguments">Some replaced.</param>
    /// <param name="mutations">Which, for the words that a message must have; several of which one may be named.</param>
    /// <param name="run">Whether what is accepted and small is run.</param>
    public static string? Problem(IDevice device, CallRow row, object?[] arguments, Mutation[] mutations, bool run)
    {
        string stage = "record";
        try
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

            return null;
        }
        catch (Exception exception)
        {
            return Fault(exception, row.Name, mutations) is { } fault
                ? $"{row.Name}, {string.Join(", ", mutations.AsEnumerable())}: {stage}: {fault}: {exception}"
                : null;
        }
    }

    /// <summary>What a message lacks, or null: it must be of the family of argument errors, and name the call and
    /// what was wrong.</summary>
    private static string? Fault(Exception exception, string name, Mutation[] mutations)
    {
        if (exception is not ArgumentException)
        {
            return "not a named error";
        }

        string message = exception.Message;
        if (message.StartsWith("An input of shape", StringComparison.Ordinal) || exception is ArgumentNullException)
        {
            return null;
        }

        string word = new([.. message.TakeWhile(char.IsLetterOrDigit)]);
        bool named = name.Contains(word, StringComparison.Ordinal)
            || Public.Contains(word) || Ours.Contains(word);
        return !named ? "does not name the call"
            : !Array.Exists(mutations, mutation => Names(message, mutation.Value, exception)) ? "does not tell what was given"
            : null;
    }

    private static bool Names(string message, object? value, Exception exception) => value switch
    {
        CallInput operand => message.Contains(operand.Shape.ToString(), StringComparison.Ordinal)
            || message.Contains(operand.Type.ToString(), StringComparison.Ordinal)
            || operand.Shape.IsSymbolic || (operand.Shape.Rank == 0 && message.Contains("scalar", StringComparison.Ordinal))
            || operand.Shape.Any(extent => Has(message, extent)),
        CallInput[] operands => operands.Length is 0 or 9
            || Array.Exists(operands, operand => Names(message, operand, exception)),
        int[] numbers => numbers.Length is 0 or 9 || Array.Exists(numbers, number => Has(message, number)),
        long[] numbers => numbers.Length == 0 || Array.Exists(numbers, number => Has(message, number)),
        double[] numbers => numbers.Length == 0 || Array.Exists(numbers, number => Has(message, number)),
        float[] numbers => numbers.Length == 0 || Array.Exists(numbers, number => Has(message, number)),
        Size2D size => message.Contains('[') || Has(message, size.Rows) || Has(message, size.Columns),
        Size3D size => message.Contains('[') || Has(message, size.Planes) || Has(message, size.Rows)
            || Has(message, size.Columns),
        Padding1D p => Has(message, p.Left) || Has(message, p.Right) || message.Contains("same", StringComparison.Ordinal),
        Padding2D p => Has(message, p.Top) || Has(message, p.Bottom) || Has(message, p.Left) || Has(message, p.Right)
            || message.Contains("same", StringComparison.Ordinal),
        Padding3D p => Has(message, p.Front) || Has(message, p.Top) || Has(message, p.Left) || Has(message, p.Back)
            || Has(message, p.Bottom) || Has(message, p.Right) || message.Contains("same", StringComparison.Ordinal),
        Shape shape => shape.Rank == 0 || shape.Any(extent => Has(message, extent)),
        null or "" => true,
        bool => true,
        int number => Has(message, number) || message.Contains('['),
        _ => Has(message, value) || exception is ArgumentNullException,
    };

    private static bool Has(string message, object? value) =>
        message.Contains(
            value is IFormattable number ? number.ToString(null, CultureInfo.InvariantCulture) : value!.ToString()!,
            StringComparison.Ordinal)
        || (value is int extent
            && message.Contains(extent.ToString("N0", CultureInfo.InvariantCulture), StringComparison.Ordinal));

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
