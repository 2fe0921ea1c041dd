using System.Globalization;
using System.Text.RegularExpressions;

namespace FastNN.Testing;

/// <summary>What the message of a refusal must have: a name that leads to the argument, and what was given.</summary>
internal static partial class ErrorText
{
    /// <summary>
    /// What a message lacks, or null: it must be of the family of argument errors, name the call, one that it records or the
    /// argument, and tell what was given.
    /// </summary>
    public static string? Fault(Exception exception, CallRow row, Mutation[] mutations)
    {
        string message = exception.Message;
        if (exception is ShapeException { Layer: { } layer })
        {
            message = message[$"layer {layer}: ".Length..];
        }

        string word = FirstWord().Match(message).Value.TrimEnd([.. "0123456789"]);
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

        bool isNamed = isOwn || exception is ShapeException { Layer: not null } || ComposedCalls.Has(row.Name, word)
            || word == nameof(DType)
            || Array.Exists(mutations, mutation => mutation.Argument < row.Names.Length
                && HasWord(message, row.Names[mutation.Argument]));
        return !isNamed ? "does not name the call"
            : mutations.Length > 0 && !TellsSize().IsMatch(message)
                && !Array.Exists(mutations, mutation => Gives(message, mutation.Value, row.Arguments[mutation.Argument]))
                ? "does not tell what was given"
            : null;
    }

    /// <summary>Whether a message has what took the place of the original, not only what stands beside it.</summary>
    private static bool Gives(string message, object? value, object? original) => value switch
    {
        null or "" or bool or CallLayer or CallLayer[] => true,
        // A symbol is told as the number that stands for it while shapes are inferred.
        CallInput operand => operand.Shape.IsSymbolic
            || (operand.Type != (original as CallInput)?.Type
                && (Has(message, operand.Type) || message.Contains($"{operand.Type}[", StringComparison.Ordinal)))
            || (operand.Shape != (original as CallInput)?.Shape
                && Gives(message, operand.Shape, (original as CallInput)?.Shape)),
        CallInput[] operands => original is CallInput[] others && others.Length == operands.Length
            ? operands.Where((operand, i) => operand != others[i] && Gives(message, operand, others[i])).Any()
            : Has(message, operands.Length) || operands.Length == 0
                || Array.Exists(operands, operand => message.Contains(operand.Shape.ToString(), StringComparison.Ordinal)),
        Shape shape => message.Contains(shape.ToString(), StringComparison.Ordinal)
            || (shape.Rank == 0 && Has(message, "scalar"))
            || GivesNumbers(message, shape.ToArray(), original is Shape other ? other.ToArray() : []),
        Size2D size => GivesNumbers(message, [size.Rows, size.Columns], original is Size2D o ? [o.Rows, o.Columns] : []),
        Size3D size => GivesNumbers(
            message, [size.Planes, size.Rows, size.Columns], original is Size3D o ? [o.Planes, o.Rows, o.Columns] : []),
        Padding1D padding => padding.IsSame || GivesNumbers(message, [padding.Left, padding.Right], []),
        Padding2D p => p.IsSame || GivesNumbers(message, [p.Top, p.Bottom, p.Left, p.Right], []),
        Padding3D p => p.IsSame || GivesNumbers(message, [p.Front, p.Back, p.Top, p.Bottom, p.Left, p.Right], []),
        int[] numbers => GivesNumbers(message, numbers, original as int[] ?? []),
        long[] numbers => GivesNumbers(message, numbers, original as long[] ?? []),
        float[] numbers => GivesNumbers(message, numbers, original as float[] ?? []),
        double[] numbers => GivesNumbers(message, numbers, original as double[] ?? []),
        // Axes that count from the end are told as those from the front.
        int and < 0 and >= -Shape.MaxRank when Has(message, "axis") || Has(message, "axes") => true,
        int number => Has(message, number) || Has(message, (float)number),
        _ => Has(message, value),
    };

    /// <summary>
    /// Of numbers that are as many as before, one that has changed; otherwise one of them or how many they are.
    /// </summary>
    private static bool GivesNumbers<T>(string message, T[] numbers, T[] original) => numbers.Length == original.Length
        ? numbers.Where((number, i) => !Equals(number, original[i])).Any(number => Has(message, number))
        : numbers.Length == 0 || Has(message, numbers.Length) || Array.Exists(numbers, number => Has(message, number));

    /// <summary>Whether a message has a number or another value.</summary>
    private static bool Has(string message, object? value) =>
        HasWord(
            message, value is IFormattable number ? number.ToString(null, CultureInfo.InvariantCulture) : value!.ToString()!)
        || (value is int many && HasWord(message, many.ToString("N0", CultureInfo.InvariantCulture)))
        || (value is int symbol && Dim.IsSymbol(symbol) && HasWord(message, new Shape(symbol).ToString()[1..^1]));

    /// <summary>Whether a message has a word, or a number that is not a part of a longer one.</summary>
    private static bool HasWord(string message, string word)
    {
        bool isName = char.IsLetter(word[0]);
        for (int at = -1; (at = message.IndexOf(word, at + 1, StringComparison.OrdinalIgnoreCase)) >= 0;)
        {
            char before = at == 0 ? ' ' : message[at - 1];
            string behind = $"{message[(at + word.Length)..]}  ";
            if (isName
                ? !char.IsLetterOrDigit(before) && !char.IsLetterOrDigit(behind[0])
                : !char.IsDigit(before) && before is not ('.' or ',' or '-') && !char.IsDigit(behind[0])
                    && !(behind[0] is '.' or ',' && char.IsDigit(behind[1])))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What a size that is too large is told by: the shape that it leads to.</summary>
    [GeneratedRegex(@"\d elements|2\^40 elements|too many elements|positions along an axis|has a symbolic extent")]
    private static partial Regex TellsSize();

    [GeneratedRegex(@"^\w+")]
    private static partial Regex FirstWord();
}
