using System.Globalization;

namespace FastNN.Cli.Running;

/// <summary>Progress in one line: the same figures in several lengths, so that a line never wraps.</summary>
internal static class ProgressText
{
    private const int LongestBar = 40;
    private const int ShortestBar = 10;

    /// <summary>An epoch that is done; the longest text that fits the width.</summary>
    /// <param name="held">What the examples held out are called: "val" or "test".</param>
    public static string Epoch(EpochResult result, int epochs, string held, double imagesPerSecond, int width)
    {
        string epoch = Text($"{result.Epoch,2}/{epochs}"), loss = Text($"{result.Loss:F4}"),
        seconds = Text($"{result.Duration.TotalSeconds:F1} s");
        string? accuracy = Percent(result.Accuracy), heldLoss = Number(result.ValidationLoss),
        heldAccuracy = Percent(result.ValidationAccuracy);
        return Fit(
            width,
            Join(
                $"epoch {epoch}", $"loss {loss}", Named("accuracy", accuracy), Named($"{held} loss", heldLoss),
                Named($"{held} accuracy", heldAccuracy), seconds, Rate(imagesPerSecond)),
            Join(
                $"epoch {epoch}", $"loss {loss}", Named("acc", accuracy), Named($"{held} loss", heldLoss),
                Named($"{held} acc", heldAccuracy), seconds),
            Join($"epoch {epoch}", $"loss {loss}", Named("acc", accuracy), Named(held, heldLoss), heldAccuracy, seconds),
            Join(epoch, $"loss {loss}", Named("acc", accuracy), Named(held, heldLoss), heldAccuracy),
            Join(epoch, loss, accuracy, heldLoss, heldAccuracy));
    }

    /// <summary>An epoch under way, from the longest text to the shortest.</summary>
    public static IReadOnlyList<string> Step(in BatchResult result, int epochs, double imagesPerSecond)
    {
        string epoch = Text($"{result.Epoch}/{epochs}"), loss = Text($"loss {result.MeanLoss:F4}");
        string? accuracy = double.IsNaN(result.Accuracy) ? null : Percent(result.Accuracy);
        return
        [
            Join($"epoch {epoch}", loss, Named("accuracy", accuracy), Rate(imagesPerSecond)),
            Join(epoch, loss, Named("acc", accuracy), Text($"{imagesPerSecond:N0}/s")),
            Join(epoch, loss, Named("acc", accuracy)),
            Join(epoch, loss),
            epoch,
        ];
    }

    /// <summary>
    /// A bar, the share done, the time left and a text: the longest text that leaves room for a bar, or a text alone.
    /// </summary>
    /// <param name="texts">From the longest to the shortest.</param>
    /// <returns>The bar's cells, of which so many are done, and what stands behind them.</returns>
    public static (int Done, int Cells, string Tail) Bar(double share, TimeSpan left, IReadOnlyList<string> texts, int width)
    {
        string hours = left.TotalHours >= 1 ? Text($"{(int)left.TotalHours}:") : "";
        string head = Text($" {100 * share,3:F0} %  {hours}{left:mm\\:ss}  ");
        foreach (string text in texts)
        {
            int room = width - head.Length - text.Length;
            if (room >= ShortestBar)
            {
                int cells = Math.Min(room, LongestBar);
                return ((int)Math.Round(share * cells), cells, head + text);
            }
        }

        return (0, 0, Fit(width, [.. texts]));
    }

    /// <summary>The first text that fits, or what fits of the last.</summary>
    private static string Fit(int width, params ReadOnlySpan<string> texts)
    {
        foreach (string text in texts)
        {
            if (text.Length <= width)
            {
                return text;
            }
        }

        return texts[^1][..Math.Max(width, 0)];
    }

    private static string Join(params ReadOnlySpan<string?> parts)
    {
        var present = new List<string>();
        foreach (string? part in parts)
        {
            if (part is not null)
            {
                present.Add(part);
            }
        }

        return string.Join("  ", present);
    }

    private static string? Named(string name, string? value) => value is null ? null : $"{name} {value}";

    private static string? Percent(double? share) => share is { } value ? Text($"{100 * value:F2} %") : null;

    private static string? Number(double? number) => number is { } value ? Text($"{value:F4}") : null;

    private static string Rate(double imagesPerSecond) => Text($"{imagesPerSecond:N0} images/s");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
