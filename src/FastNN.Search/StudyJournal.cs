using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace FastNN.Search;

/// <summary>
/// A search on the disk: a line of JSON for every step, in the format of Optuna's journal files (Optuna 3.1 and newer), so that
/// its dashboard and plots read it. A line is on the disk before the search goes on. Whatever ends a process, at most the line
/// being written is lost, and no trial that has ended; what was running then is noted as failed when the search is taken up
/// again.
/// </summary>
/// <remarks>One process writes to a journal at a time, and it holds one search.</remarks>
public sealed partial class StudyJournal : IDisposable
{
    private readonly FileStream _file;
    private readonly string _name;
    private readonly string _worker = $"{Guid.NewGuid()}-1";
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private bool _begun;

    /// <summary>Opens a journal, or creates it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">The study's name in it; default "fastnn".</param>
    /// <exception cref="IOException">The file cannot be opened, or another process is writing to it.</exception>
    public StudyJournal(string path, string name = "fastnn")
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentException.ThrowIfNullOrEmpty(name);
        (Path, _name) = (path, name);
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    /// <summary>Takes up the search that the file holds, or begins it.</summary>
    internal void Begin(Study study)
    {
        if (_begun)
        {
            throw new InvalidOperationException($"StudyJournal: {Path} belongs to another study already.");
        }

        _begun = true;
        int line = 0;
        bool exists = false;
        foreach (string text in ReadLines())
        {
            line++;
            try
            {
                using JsonDocument document = JsonDocument.Parse(Unquoted().Replace(text, "$1\"$2\""));
                exists |= Apply(document.RootElement, study, exists);
            }
            catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
                or ArgumentException)
            {
                throw new InvalidDataException($"{Path}, line {line}: expected a record of an Optuna journal: {e.Message}", e);
            }
        }

        if (!exists)
        {
            Append(0, json =>
            {
                json.WriteString("study_name", _name);
                json.WriteStartArray("directions");
                json.WriteNumberValue((int)study.Direction);
                json.WriteEndArray();
            });
        }

        foreach (Trial trial in study.Trials.Where(trial => trial.State == TrialState.Running))
        {
            Ended(trial, TrialState.Failed, null);
            trial.State = TrialState.Failed;
        }
    }

    internal void Created(Trial trial)
    {
        // One write for the trial and all its values: half of a trial would be of no use.
        Add(4, json =>
        {
            json.WriteNumber("study_id", 0);
            json.WriteString("datetime_start", Now());
        });
        IReadOnlyList<SearchParameter> parameters = trial.Study.Space.Parameters;
        for (int i = 0; i < parameters.Count; i++)
        {
            double value = trial.Values[i];
            SearchParameter parameter = parameters[i];
            Add(5, json =>
            {
                json.WriteNumber("trial_id", trial.Number);
                json.WriteString("param_name", parameter.Name);
                json.WriteNumber("param_value_internal", value);
                json.WriteString("distribution", Distribution(parameter));
            });
        }

        Flush();
    }

    internal void Reported(Trial trial, double value, int step) => Append(7, json =>
    {
        json.WriteNumber("trial_id", trial.Number);
        json.WriteNumber("step", step);
        json.WritePropertyName("intermediate_value");
        WriteDouble(json, value);
    });

    internal void Ended(Trial trial, TrialState state, double? value) => Append(6, json =>
    {
        json.WriteNumber("trial_id", trial.Number);
        json.WriteNumber("state", (int)state);
        if (value is { } number)
        {
            json.WriteStartArray("values");
            WriteDouble(json, number);
            json.WriteEndArray();
        }
        else
        {
            json.WriteNull("values");
        }

        json.WriteString("datetime_complete", Now());
    });

    /// <summary>A parameter as Optuna writes its distribution.</summary>
    internal static string Distribution(SearchParameter parameter)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("name", parameter switch
            {
                FloatParameter => "FloatDistribution",
                IntParameter => "IntDistribution",
                _ => "CategoricalDistribution",
            });
            json.WriteStartObject("attributes");
            switch (parameter)
            {
                case FloatParameter number:
                    if (number.Step > 0)
                    {
                        json.WriteNumber("step", number.Step);
                    }
                    else
                    {
                        json.WriteNull("step");
                    }

                    json.WriteNumber("low", number.Low);
                    json.WriteNumber("high", number.High);
                    json.WriteBoolean("log", number.IsLog);
                    break;
                case IntParameter whole:
                    json.WriteBoolean("log", whole.IsLog);
                    json.WriteNumber("step", whole.Step);
                    json.WriteNumber("low", whole.Low);
                    json.WriteNumber("high", whole.High);
                    break;
                case ChoiceParameter choice:
                    json.WriteStartArray("choices");
                    foreach (string text in choice.Choices)
                    {
                        json.WriteStringValue(text);
                    }

                    json.WriteEndArray();
                    break;
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static string Now() => DateTime.Now.ToString("yyyy-MM-ddTHH:mm:ss.ffffff", CultureInfo.InvariantCulture);

    // Python writes and reads numbers that are not finite without quotes, which JSON does not have.
    private static void WriteDouble(Utf8JsonWriter json, double value)
    {
        if (double.IsFinite(value))
        {
            json.WriteNumberValue(value);
        }
        else
        {
            json.WriteRawValue(
                double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity", skipInputValidation: true);
        }
    }

    private static double ReadDouble(JsonElement value) => value.ValueKind == JsonValueKind.String
        ? value.GetString() switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            var text => throw new FormatException($"expected a number, got '{text}'"),
        }
        : value.GetDouble();

    [GeneratedRegex(@"(""(?:intermediate_value|param_value_internal)"": ?|""values"": ?\[)(NaN|-?Infinity)")]
    private static partial Regex Unquoted();

    /// <summary>The whole lines of the file; what follows the last one was not written to its end and is cut off.</summary>
    private List<string> ReadLines()
    {
        _file.Position = 0;
        using var memory = new MemoryStream();
        _file.CopyTo(memory);
        byte[] bytes = memory.ToArray();
        int whole = Array.LastIndexOf(bytes, (byte)'\n') + 1;
        if (whole < bytes.Length)
        {
            _file.SetLength(whole);
        }

        _file.Position = whole;
        return [.. Encoding.UTF8.GetString(bytes, 0, whole).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    /// <returns>Whether the record began the study.</returns>
    private bool Apply(JsonElement record, Study study, bool exists)
    {
        int operation = record.GetProperty("op_code").GetInt32();
        if (operation == 0)
        {
            Begin(record, study, exists);
            return true;
        }

        if (!exists)
        {
            throw new FormatException("it comes before the study was created");
        }

        if (operation == 4)
        {
            study.Restore([.. Enumerable.Repeat(double.NaN, study.Space.Parameters.Count)]);
            return false;
        }

        // What users and samplers note beside it is none of this search's business.
        if (operation is not (5 or 6 or 7))
        {
            return false;
        }

        int number = record.GetProperty("trial_id").GetInt32();
        Trial trial = number >= 0 && number < study.Trials.Count
            ? study.Trials[number]
            : throw new FormatException($"there is no trial {number}");
        switch (operation)
        {
            case 5:
                SetParameter(record, study, trial);
                break;
            case 6:
                trial.State = (TrialState)record.GetProperty("state").GetInt32();
                JsonElement values = record.GetProperty("values");
                trial.Value = values.ValueKind == JsonValueKind.Null ? null : ReadDouble(values[0]);
                break;
            default:
                trial.Add(record.GetProperty("step").GetInt32(), ReadDouble(record.GetProperty("intermediate_value")));
                break;
        }

        return false;
    }

    private void Begin(JsonElement record, Study study, bool exists)
    {
        string? name = record.GetProperty("study_name").GetString();
        int direction = record.GetProperty("directions")[0].GetInt32();
        if (exists || name != _name || direction != (int)study.Direction)
        {
            throw new InvalidDataException(
                $"{Path}: expected one study '{_name}' to {study.Direction.ToString().ToLowerInvariant()}, it holds '{name}' to {(direction == 2 ? "maximize" : "minimize")}{(exists ? " beside it" : "")}; take another file.");
        }
    }

    private void SetParameter(JsonElement record, Study study, Trial trial)
    {
        string name = record.GetProperty("param_name").GetString()!;
        int index = study.Space.IndexOf(name);
        SearchParameter parameter = study.Space.Parameters[index];
        double value = record.GetProperty("param_value_internal").GetDouble();
        using JsonDocument saved = JsonDocument.Parse(record.GetProperty("distribution").GetString()!);
        using JsonDocument own = JsonDocument.Parse(Distribution(parameter));
        if (!JsonElement.DeepEquals(saved.RootElement, own.RootElement))
        {
            throw new InvalidDataException(
                $"{Path}: parameter {name} was searched in {saved.RootElement}, this search has {own.RootElement}; take another file, or the space that the search began with.");
        }

        trial.Set(index, value);
    }

    private void Append(int operation, Action<Utf8JsonWriter> write)
    {
        Add(operation, write);
        Flush();
    }

    private void Add(int operation, Action<Utf8JsonWriter> write)
    {
        using var json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        json.WriteNumber("op_code", operation);
        json.WriteString("worker_id", _worker);
        write(json);
        json.WriteEndObject();
        json.Flush();
        _buffer.Write("\n"u8);
    }

    private void Flush()
    {
        _file.Write(_buffer.WrittenSpan);
        _file.Flush(flushToDisk: true);
        _buffer.ResetWrittenCount();
    }
}
