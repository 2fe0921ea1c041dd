using System.Globalization;
using System.Text.RegularExpressions;

namespace FastNN.Cli.Running;

/// <summary>The command line that continues an interrupted run, to be pasted into a shell.</summary>
internal static partial class ResumeCommand
{
    public static string For(RunSettings settings)
    {
        var command = new List<string> { "fastnn", "train", settings.Recipe.Name };
        void Add(string option, object? value, object? normal)
        {
            if (value is not null && !value.Equals(normal))
            {
                string text = Convert.ToString(value, CultureInfo.InvariantCulture)!;
                // Behind an option, a value like "-x" would be taken for an option of its own.
                bool joined = text.StartsWith('-') && text.Length > 1;
                command.AddRange(joined ? [$"{option}={Quote(text)}"] : [option, Quote(text)]);
            }
        }

        Add("--epochs", settings.Epochs, settings.Quick ? settings.Recipe.Quick.Epochs : settings.Recipe.Epochs);
        Add("--batch", settings.Batch, settings.Recipe.Batch);
        Add("--lr", settings.LearningRate, settings.Recipe.LearningRate);
        Add("--seed", settings.Seed, 0UL);
        if (settings.Quick)
        {
            command.Add("--quick");
        }

        if (settings.HoldOut)
        {
            command.Add("--hold-out");
        }

        Add("--limit", settings.Limit, settings.Quick ? settings.Recipe.Quick.Limit : null);
        Add("--data", settings.Data, null);
        Add("--device", settings.Device, "cpu");
        Add("--threads", settings.Threads, null);
        Add("--json", settings.Json, null);
        Add("--out", settings.Out, null);
        command.Add("--resume");
        return string.Join(' ', command);
    }

    /// <summary>A word for a POSIX shell: as it is where no character is special, else in single quotes.</summary>
    internal static string Quote(string text) =>
        Plain().IsMatch(text) ? text : $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    [GeneratedRegex(@"\A[A-Za-z0-9_./:=@%+,-]+\z")]
    private static partial Regex Plain();
}
