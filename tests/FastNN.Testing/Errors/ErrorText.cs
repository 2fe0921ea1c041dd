using System.Globalization;
using System.Text.RegularExpressions;
using FastNN.Functions;

namespace FastNN.Testing;

/// <summary>What the message of a refusal must have: a name that leads to the argument, and what was given.</summary>
internal static partial class ErrorText
{
    /// <summary>A call that records several operators may name the one that refused.</summary>
    private static readonly HashSet<string> Public =
        [.. CallRow.Calls.Select(call => call.Name), .. FunctionTable.Binary.Select(function => function.Info.Name)];

    /// <summary>Names of the operators of tests, and of what knows no operator.</summary>
    private static readonly HashSet<string> Ours = ["ScaledSoftsign", "SplitHalves", "DType", "BinaryCrossEntropyWithLogits"];

    /// <summary>What a message lacks, or null: it must be of the family of argument errors, and name the call and
    /// what was wrong.</summary>
    public static string? Fault(Exception exception, CallRow row, Mutation[] mutations)
    {
        string message = exception.Message;
        if (exception is ShapeException { Layer: { } layer })
        {
            message = message[$"layer {layer}: ".Length..];
        }

        string word = FirstWord().Match(message).Value;
        bool isOwn = word.Length > 0 && (row.Name.Contains(word, StringComparison.Ordinal)
            || word.Contains(row.Name.Replace("Loss", "", StringComparison.Ordinal), StringComparison.Ordinal));
        if (exception is not ArgumentException && !(exception is InvalidOperationException && isOwn))
        {
            return "not a named error";
        }

        if (message.StartsWith("An input of shape", StringComparison.Ordinal) || exception is ArgumentNullException)
        {
            return null;
        }

        bool isNamed = isOwn || exception is ShapeException { Layer: not null } || Public.Contains(word) || Ours.Contains(word);
        return !isNamed ? "does not name the call"
            : mutations.Length > 0 && !Array.Exists(mutations, mutation => Gives(message, mutation.Value))
                ? "does not tell what was given"
            : null;
    }

    private static bool Gives(string message, object? value) => value switch
    {
        CallInput operand => message.Contains(operand.Shape.ToString(), StringComparison.Ordinal)
            || message.Contains(operand.Type.ToString(), StringComparison.Ordinal)
            || operand.Shape.IsSymbolic || (operand.Shape.Rank == 0 && message.Contains("scalar", StringComparison.Ordinal))
            || operand.Shape.Any(extent => Has(message, extent)),
        CallInput[] operands => operands.Length is 0 or 9 || Has(message, operands.Length)
            || Array.Exists(operands, operand => Gives(message, operand)),
        CallLayer or CallLayer[] => true,
        int[] numbers => numbers.Length is 0 or 9 || Array.Exists(numbers, number => Has(message, number)),
        long[] numbers => numbers.Length == 0 || Has(message, numbers.Length)
            || Array.Exists(numbers, number => Has(message, number)),
        double[] numbers => numbers.Length == 0 || Has(message, numbers.Length)
            || Array.Exists(numbers, number => Has(message, number)),
        float[] numbers => numbers.Length == 0 || Has(message, numbers.Length)
            || Array.Exists(numbers, number => Has(message, number)),
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
        _ => Has(message, value),
    };

    private static bool Has(string message, object? value) =>
        message.Contains(
            value is IFormattable number ? number.ToString(null, CultureInfo.InvariantCulture) : value!.ToString()!,
            StringComparison.Ordinal)
        || (value is int extent
            && message.Contains(extent.ToString("N0", CultureInfo.InvariantCulture), StringComparison.Ordinal));

    [GeneratedRegex(@"^\w+")]
    private static partial Regex FirstWord();
}
