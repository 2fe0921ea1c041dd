using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace FastNN.Cli.Serving;

/// <summary>
/// The options' texts from the command line, the environment and a file, in this order, and what they say. What is wrong names
/// the option where it was given.
/// </summary>
internal sealed class ServeValues
{
    private readonly IConfigurationRoot _configuration;
    private readonly IReadOnlyDictionary<string, string?> _given;
    private readonly IReadOnlyDictionary<string, string?> _environment;
    private readonly string? _file;

    private ServeValues(
        IConfigurationRoot configuration, IReadOnlyDictionary<string, string?> given,
        IReadOnlyDictionary<string, string?> environment, string? file) =>
        (_configuration, _given, _environment, _file) = (configuration, given, environment, file);

    /// <param name="given">The command line's, by name.</param>
    /// <param name="file">A JSON file; null for none.</param>
    /// <param name="environment">Reads an environment variable.</param>
    public static ServeValues Read(IReadOnlyDictionary<string, string?> given, string? file, Func<string, string?> environment)
    {
        string[] names = [ServeOption.Folder, .. ServeOption.All.Select(option => option.Name)];
        var variables = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (string name in names)
        {
            if (environment(ServeOption.VariableOf(name)) is { Length: > 0 } text)
            {
                variables[name] = text;
            }
        }

        var builder = new ConfigurationBuilder();
        if (file is not null)
        {
            if (!File.Exists(file))
            {
                throw Failure.OfUsage($"--config: there is no file '{file}'");
            }

            builder.AddJsonFile(Path.GetFullPath(file), optional: false, reloadOnChange: false);
        }

        IConfigurationRoot configuration;
        try
        {
            configuration = builder.AddInMemoryCollection(variables).AddInMemoryCollection(given).Build();
        }
        catch (Exception exception) when (exception is InvalidDataException or FormatException or JsonException)
        {
            throw Failure.OfUsage($"--config: '{file}' is not a JSON object of options: {exception.GetBaseException().Message}");
        }

        foreach (IConfigurationSection section in configuration.GetChildren())
        {
            if (!names.Contains(section.Key, StringComparer.OrdinalIgnoreCase))
            {
                throw Failure.OfUsage(
                    $"--config: '{file}' has '{section.Key}', which is no option. {Nearest.Suggest(section.Key, names)}");
            }
        }

        return new ServeValues(configuration, given, variables, file);
    }

    /// <summary>An option's text; null where it was not given.</summary>
    public string? Text(string name)
    {
        IConfigurationSection section = _configuration.GetSection(name);
        if (section.Value is null && section.GetChildren().Any())
        {
            throw Failure.OfUsage($"{Where(name)}: expected one value, got several");
        }

        return string.IsNullOrEmpty(section.Value) ? null : section.Value;
    }

    /// <summary>The texts of an option that may have several, joined by commas or a JSON array.</summary>
    public IReadOnlyList<string> List(string name)
    {
        IConfigurationSection section = _configuration.GetSection(name);
        // A value from a later source does not remove an array from the file.
        return section.Value is { } text
            ? text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            : [.. section.GetChildren().Select(child => child.Value).OfType<string>()];
    }

    public bool Flag(string name) => Text(name)?.ToLowerInvariant() switch
    {
        null or "false" or "0" or "off" => false,
        "true" or "1" or "on" => true,
        _ => throw Wrong(name, "true or false"),
    };

    public bool Switch(string name, bool byDefault) => Text(name) is null ? byDefault : Flag(name);

    public int Whole(string name, int least, int most, int byDefault) => Text(name) is not { } text
        ? byDefault
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
            ? value
            : throw Wrong(
                name,
                most == int.MaxValue ? $"a whole number of at least {least}" : $"a whole number from {least} to {most}");

    public TimeSpan? Time(string name, TimeSpan least, TimeSpan most)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        (string Unit, double Milliseconds)[] units = [("us", 0.001), ("ms", 1), ("s", 1000), ("min", 60_000)];
        foreach ((string unit, double milliseconds) in units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(
                    text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
                    out double number)
                && TimeSpan.FromMilliseconds(Math.Min(number * milliseconds, int.MaxValue)) is var time
                && time >= least && time <= most)
            {
                return time;
            }
        }

        throw Wrong(name, $"a time from {Show(least)} to {Show(most)}, such as 500us, 2ms, 1.5s or 1min");
    }

    public long Size(string name, long least, long byDefault)
    {
        if (Text(name) is not { } text)
        {
            return byDefault;
        }

        string digits = text.TrimEnd('b', 'B', 'i');
        int shift = digits.Length == 0 ? 0 : char.ToUpperInvariant(digits[^1]) switch
        {
            'K' => 10,
            'M' => 20,
            'G' => 30,
            _ => 0,
        };
        return long.TryParse(shift == 0 ? digits : digits[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            && number <= long.MaxValue >> shift && number << shift >= least
            ? number << shift
            : throw Wrong(name, string.Create(
                CultureInfo.InvariantCulture, $"a size of at least {least} bytes, such as 65536, 64KiB, 64MiB or 2GiB"));
    }

    /// <summary>One of several words.</summary>
    public string Choice(string name, string byDefault, params string[] choices) => Text(name) is not { } text
        ? byDefault
        : choices.Contains(text, StringComparer.Ordinal) ? text : throw Wrong(name, $"one of {string.Join(", ", choices)}");

    /// <summary>The path of a file that is there.</summary>
    public string? ExistingFile(string name) => Text(name) is not { } path || File.Exists(path)
        ? Text(name)
        : throw Failure.OfUsage($"{Where(name)}: there is no file '{path}'");

    /// <summary>What is said where an option's text is not what it must be.</summary>
    public CliException Wrong(string name, string wanted) => Failure.OfUsage($"{Where(name)}: '{Text(name)}' is not {wanted}");

    /// <summary>Where an option was given, for messages.</summary>
    public string Where(string name) => _given.ContainsKey(name) || (!_environment.ContainsKey(name) && _file is null)
        ? name == ServeOption.Folder ? "MODELS_FOLDER" : $"--{name}"
        : _environment.ContainsKey(name) ? ServeOption.VariableOf(name) : $"{name} in {_file}";

    private static string Show(TimeSpan time) => time.TotalSeconds >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds}s")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds}ms");
}
