using System.Globalization;
using FastNN.Formats;

namespace FastNN.Data;

/// <summary>A piece of sound, mono, that stays encoded until it is read.</summary>
public sealed class Sound
{
    private readonly WavFile _file;
    private readonly int _start;

    internal Sound(WavFile file, int start, int length) => (_file, _start, Length) = (file, start, length);

    /// <summary>Samples per second.</summary>
    public int SampleRate => _file.SampleRate;

    /// <summary>Samples.</summary>
    public int Length { get; }

    /// <summary>The samples, from -1 to 1.</summary>
    public float[] Read()
    {
        var samples = new float[Length];
        _file.Read(_start, samples);
        return samples;
    }
}

/// <summary>
/// Recordings as the cache keeps them: one WAV of all, one after the other, and a line of JSON for each with its first sample,
/// its number of samples, and what else is known.
/// </summary>
internal static class SoundFile
{
    private static readonly string[] Places = ["start", "samples"];

    /// <summary>Writes both files.</summary>
    /// <param name="wav">The WAV.</param>
    /// <param name="index">The lines.</param>
    /// <param name="sampleRate">Samples per second.</param>
    /// <param name="fields">What is known of each.</param>
    /// <param name="recordings">Samples, and the texts of the fields.</param>
    public static void Write(
        string wav, string index, int sampleRate, string[] fields, IEnumerable<(float[] Samples, string[] Texts)> recordings)
    {
        var records = new List<string[]>();
        using (FileStream file = File.Create(wav))
        {
            // The header says how many samples there are, which is known at the end.
            int samples = 0;
            WavFile.WriteHeader(file, samples, sampleRate);
            foreach ((float[] sound, string[] texts) in recordings)
            {
                records.Add([Invariant(samples), Invariant(sound.Length), .. texts]);
                WavFile.WriteSamples(file, sound);
                samples = checked(samples + sound.Length);
            }

            file.Position = 0;
            WavFile.WriteHeader(file, samples, sampleRate);
        }

        JsonLines.Write(index, [.. Places, .. fields], records);
    }

    /// <summary>Reads both.</summary>
    /// <param name="folder">Where they are.</param>
    /// <param name="wav">The name of the WAV.</param>
    /// <param name="index">The name of the lines.</param>
    /// <param name="fields">What is known of each.</param>
    /// <param name="make">Makes a recording of its sound, the texts of the fields, and a way to refuse one of them.</param>
    /// <exception cref="FileFormatException">A file is malformed, or a recording reaches beyond the WAV.</exception>
    public static List<T> Read<T>(
        DatasetFolder folder, string wav, string index, string[] fields,
        Func<Sound, string[], Func<string, string, FileFormatException>, T> make)
    {
        (byte[] content, string path) = folder.Read(wav);
        WavFile file = WavFile.Parse(content, path);
        if (file.Channels != 1)
        {
            throw new FileFormatException(path, 0, "one channel", Invariant(file.Channels));
        }

        (byte[] lines, string indexPath) = folder.Read(index);
        return JsonLines.Read(lines, indexPath, [.. Places, .. fields], (texts, line) =>
        {
            FileFormatException Fault(string expected, string got) => new(indexPath, line, 1, expected, got);
            bool isPlace = int.TryParse(texts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int start)
                & int.TryParse(texts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int samples);
            return isPlace && samples > 0 && start <= file.Frames - samples
                ? make(new Sound(file, start, samples), texts[Places.Length..], Fault)
                : throw Fault($"a start and a number of samples within {file.Frames}", $"{texts[0]} and {texts[1]}");
        });
    }

    private static string Invariant(int number) => number.ToString(CultureInfo.InvariantCulture);
}
