using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FastNN.Search;

namespace FastNN.Cli.Searching;

/// <summary>
/// One trial as a process of its own: `fastnn train` with the trial's values on a share held out from the training data. Whatever
/// a trial does to its process, the search goes on.
/// </summary>
internal sealed class TrialProcess : IDisposable
{
    private readonly Process _process;
    private readonly string _folder;
    private readonly Task<string> _error;
    private int _epochs;

    public TrialProcess(SearchSettings settings, Trial trial)
    {
        Trial = trial;
        _folder = Path.Combine(Path.GetTempPath(), $"fastnn-search-{Guid.NewGuid():N}");
        ProcessStartInfo start = Itself();
        foreach (string argument in (IEnumerable<string>)[
            "train", settings.Recipe.Name, "--hold-out", "--out", _folder, "--json", Path.Combine(_folder, "result.json"),
            .. settings.Arguments])
        {
            start.ArgumentList.Add(argument);
        }

        foreach (SearchParameter parameter in settings.Space.Parameters)
        {
            start.ArgumentList.Add($"--{parameter.Name}");
            start.ArgumentList.Add(trial.Text(parameter.Name));
        }

        Directory.CreateDirectory(_folder);
        try
        {
            _process = Process.Start(start)!;
        }
        catch
        {
            Directory.Delete(_folder, recursive: true);
            throw;
        }

        _process.OutputDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _error = _process.StandardError.ReadToEndAsync();
    }

    public Trial Trial { get; }

    public bool HasExited => _process.HasExited;

    /// <summary>Why a process that has exited gives no value.</summary>
    public string Failure => _error.Result.Trim() is { Length: > 0 } error
        ? error.ReplaceLineEndings(" ")
        : string.Create(CultureInfo.InvariantCulture, $"exit code {_process.ExitCode}");

    /// <summary>The outcome of a process that has exited, or null where it failed.</summary>
    public double? Outcome()
    {
        _process.WaitForExit();
        string path = Path.Combine(_folder, "result.json");
        if (_process.ExitCode != 0 || !File.Exists(path))
        {
            return null;
        }

        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
        JsonElement value = json.RootElement.GetProperty("outcome").GetProperty("value");
        return value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
    }

    /// <summary>Reports the epochs that have ended since the last call.</summary>
    /// <returns>Whether the trial should go on.</returns>
    public bool ReportEpochs()
    {
        string log = Path.Combine(_folder, "log.csv");
        if (!File.Exists(log))
        {
            return true;
        }

        using var stream = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream);
        string[] lines = reader.ReadToEnd().Split('\n');
        string[] names = lines[0].Split(',');

        // The piece behind the last line's end may be half a row.
        for (int row = 1 + _epochs; row < lines.Length - 1; row++)
        {
            string[] cells = lines[row].Split(',');
            _epochs++;
            if (Cell(names, cells, "validation_accuracy") is { } accuracy && !Trial.Report(accuracy, _epochs))
            {
                return false;
            }
        }

        return true;
    }

    public void Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.WaitForExit();
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static double? Cell(string[] names, string[] cells, string name)
    {
        int index = Array.IndexOf(names, name);
        return index >= 0 && index < cells.Length
            && double.TryParse(cells[index], NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            ? value : null;
    }

    /// <summary>This tool once more: by its own executable, or by the host that runs its assembly.</summary>
    private static ProcessStartInfo Itself()
    {
        string assembly = Path.Combine(AppContext.BaseDirectory, "FastNN.Cli.dll");
        string executable = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "FastNN.Cli.exe" : "FastNN.Cli");
        var start = new ProcessStartInfo
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        if (File.Exists(assembly) && Path.GetFileNameWithoutExtension(Environment.ProcessPath) is "dotnet")
        {
            start.FileName = Environment.ProcessPath!;
            start.ArgumentList.Add("exec");
            start.ArgumentList.Add(assembly);
        }
        else
        {
            start.FileName = File.Exists(executable) ? executable : Environment.ProcessPath!;
        }

        return start;
    }
}
