using System.Globalization;
using FastNN.Formats;

namespace FastNN.Data;

/// <summary>A phoneme of a sentence.</summary>
/// <param name="Symbol">Its name, such as "aa"; "pau" for a pause.</param>
/// <param name="End">Where it ends, in seconds; it begins where the one before ended.</param>
public readonly record struct TimedPhoneme(string Symbol, double End);

/// <summary>A sentence that was read out.</summary>
public sealed class SpokenSentence
{
    internal SpokenSentence(string name, string text, TimedPhoneme[] phonemes, Sound sound) =>
        (Name, Text, Phonemes, Sound) = (name, text, phonemes, sound);

    /// <summary>The name of the recording, such as "ru_0001".</summary>
    public string Name { get; }

    /// <summary>What was read. A plus stands before some stressed vowels.</summary>
    public string Text { get; }

    /// <summary>The phonemes in order of time, pauses included.</summary>
    public IReadOnlyList<TimedPhoneme> Phonemes { get; }

    /// <summary>What is heard, 16000 samples per second.</summary>
    public Sound Sound { get; }
}

/// <summary>
/// 620 Russian sentences read by one speaker, 1.66 hours at 16 kHz, with transcripts and time-aligned phonemes (50 and a pause):
/// the recordings behind the voice <c>msu_ru_nsh_clunits</c> of Festival. From Debian's package <c>festvox-ru</c> (BSD-like
/// license).
/// </summary>
public static class FestvoxRu
{
    internal const int SampleRate = 16_000;
    private const string Wav = "festvox-ru.wav", Index = "festvox-ru.jsonl";
    private const string Root = "usr/share/festival/voices/russian/msu_ru_nsh_clunits";

    internal static readonly FetchedDataset Fetched = new()
    {
        Name = "festvox-ru",
        License = "BSD-like (Nickolay V. Shmyrev)",
        Source = new DebianPackage(
            "festvox-ru", Root + "/etc/txt.done.data", Root + "/wav/ru_0001.wav", Root + "/lab/ru_0001.lab"),
        Files =
        [
            new DatasetFile(Wav, 191_065_296, "3cd4e63323961dff160aba5efc14abffac20605f3e9c4787c9b64b784f1e66ed"),
            new DatasetFile(Index, 634_737, "b40ee4322a55643537a13bd965f3f7493956bf1921e8ebf8c7000a8a93901106"),
        ],
        Convert = Convert,
        Describe = folder => Describe(Read(folder)),
    };

    private static readonly string[] Fields = ["name", "text", "phonemes"];

    /// <summary>
    /// Loads the sentences in the order of their names; without a folder from the cache, where they are fetched to (apt) and
    /// verified.
    /// </summary>
    /// <param name="folder">A folder with <c>festvox-ru.wav</c> and <c>festvox-ru.jsonl</c>, plain or gzip; null for the
    /// cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">They cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">A file is malformed, or in the cache not the known one.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static IReadOnlyList<SpokenSentence> Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(Fetched, Read, folder, progress, cancellationToken);

    private static List<SpokenSentence> Read(DatasetFolder folder) =>
        SoundFile.Read(folder, Wav, Index, Fields, (sound, texts, fault) =>
        {
            string[] parts = texts[2].Split(' ');
            var phonemes = new TimedPhoneme[parts.Length];
            for (int i = 0; i < parts.Length; i++)
            {
                string[] pair = parts[i].Split(':');
                phonemes[i] = pair.Length == 2 && pair[0].Length > 0 && IsTime(pair[1], out double end)
                    && (i == 0 || end >= phonemes[i - 1].End)
                    ? new TimedPhoneme(pair[0], end)
                    : throw fault("phonemes with the times of their ends in order, such as 'pau:0.342 k:0.392'", parts[i]);
            }

            return new SpokenSentence(texts[0], texts[1], phonemes, sound);
        });

    private static bool IsTime(string text, out double seconds) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out seconds);

    private static string Describe(List<SpokenSentence> sentences)
    {
        double hours = sentences.Sum(one => (double)one.Sound.Length) / SampleRate / 3600;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{sentences.Count} sentences, {hours:0.00} hours, {sentences.Sum(one => one.Phonemes.Count)} phonemes");
    }

    private static void Convert(string root, string destination)
    {
        string from = Path.Combine(root, Root);
        SoundFile.Write(
            Path.Combine(destination, Wav), Path.Combine(destination, Index), SampleRate, Fields,
            File.ReadLines(Path.Combine(from, "etc", "txt.done.data")).Select(line => ReadSentence(from, line)));
    }

    // A line is: ( ru_0001 "text" )
    private static (float[] Samples, string[] Texts) ReadSentence(string from, string line)
    {
        int open = line.IndexOf('"', StringComparison.Ordinal), close = line.LastIndexOf('"');
        string name = open < 0 ? "" : line[..open].Trim('(', ' ');
        if (name.Length == 0 || close == open || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
        {
            throw new FileFormatException(Path.Combine(from, "etc", "txt.done.data"), 0, "( NAME \"TEXT\" )", line);
        }

        string wav = Path.Combine(from, "wav", name + ".wav");
        WavFile recording = WavFile.Open(wav);
        if (recording.SampleRate != SampleRate)
        {
            throw new FileFormatException(wav, 0, $"{SampleRate} samples per second", $"{recording.SampleRate}");
        }

        string phonemes = ReadLabels(Path.Combine(from, "lab", name + ".lab"));
        return (recording.ReadMono(), [name, line[(open + 1)..close].Trim(), phonemes]);
    }

    // Lines of an end, a color and a phoneme behind one of a number sign.
    private static string ReadLabels(string path)
    {
        var phonemes = new List<string>();
        string[] lines = File.ReadAllLines(path);
        for (int i = 1 + Array.IndexOf(lines, "#"); i < lines.Length; i++)
        {
            string[] cells = lines[i].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (cells.Length != 3 || !IsTime(cells[0], out double end))
            {
                throw new FileFormatException(path, i + 1, 1, "an end in seconds, a color and a phoneme", lines[i]);
            }

            phonemes.Add(string.Create(CultureInfo.InvariantCulture, $"{cells[2]}:{end:0.####}"));
        }

        return string.Join(' ', phonemes);
    }
}
