using System.Globalization;
using FastNN.Formats;

namespace FastNN.Data;

/// <summary>A digit that a voice speaks.</summary>
public sealed class SpokenDigit
{
    internal SpokenDigit(int digit, string language, string voice, Sound sound) =>
        (Digit, Language, Voice, Sound) = (digit, language, voice, sound);

    /// <summary>0 to 9.</summary>
    public int Digit { get; }

    /// <summary>"en", "fr", "es", "it" or "ru".</summary>
    public string Language { get; }

    /// <summary>Whose voice it is.</summary>
    public string Voice { get; }

    /// <summary>What is heard, 8000 samples per second.</summary>
    public Sound Sound { get; }
}

/// <summary>
/// Synthetic speech: the digits 0 to 9 in five languages (English, French, Spanish, Italian, Russian), each by 62 voices of the
/// synthesizer espeak-ng with speeds and pitches of their own, 8 kHz: 3 100 recordings. Voices are variants of one synthesizer by
/// rules; those of <see cref="IsHeldOut"/> are meant to test on. <see cref="AsteriskDigits"/> has people's voices. The program
/// comes from Debian's package <c>espeak-ng</c> (GPL-3 or later) and speaks when the dataset is fetched, which takes minutes; its
/// versions may speak differently, so that no sum can be known beforehand.
/// </summary>
public static class SpokenDigits
{
    internal const int SampleRate = 8000;
    private const string Wav = "spoken-digits.wav", Index = "spoken-digits.jsonl", Program = "usr/bin/espeak-ng";
    private const long MaxBytes = 1L << 28;

    internal static readonly FetchedDataset Fetched = new()
    {
        Name = "spoken-digits",
        License = "made with espeak-ng (GPL-3 or later)",
        Source = new DebianProgram("espeak-ng", Program),
        Files = [new DatasetFile(Wav, MaxBytes, null), new DatasetFile(Index, MaxBytes, null)],
        Convert = Speak,
        Describe = folder => DigitFiles.Describe(DigitFiles.Read(folder, Wav, Index)),
    };

    private static readonly (string Language, string Voice)[] Languages =
        [("en", "en-us"), ("fr", "fr-fr"), ("es", "es-419"), ("it", "it"), ("ru", "ru")];

    // Robots, whispers and near copies of others are left out.
    private static readonly string[] Voices =
    [
        "Alex", "Alicia", "Andy", "Annie", "Diogo", "Henrique", "Hugo", "Lee", "Michael", "Mike", "RicishayMax", "Storm",
        "adam", "anika", "antonio", "aunty", "benjamin", "caleb", "croak", "ed", "edward", "f1", "f3", "f4", "grandma", "gustave",
        "iven", "iven3", "john", "klatt", "klatt2", "klatt4", "linda", "m1", "m2", "m4", "m6", "m8", "max", "michel", "pablo",
        "pedro", "rob", "robert", "victor", "travis",
    ];

    private static readonly string[] HeldOut =
    [
        "Andrea", "Denis", "Gene", "Jacky", "Marco", "Nguyen", "belinda", "boris", "david", "f2", "f5", "grandpa", "m3", "m7",
        "miguel", "steph",
    ];

    /// <summary>Whether a recording's voice is one of the 16 to test on, which resemble none of the others by name.</summary>
    /// <param name="recording">A recording of this dataset.</param>
    public static bool IsHeldOut(SpokenDigit recording)
    {
        ArgumentNullException.ThrowIfNull(recording);
        return Array.IndexOf(HeldOut, recording.Voice) >= 0;
    }

    /// <summary>
    /// Loads the recordings, voice by voice and language by language; without a folder from the cache, where they are made.
    /// </summary>
    /// <param name="folder">A folder with <c>spoken-digits.wav</c> and <c>spoken-digits.jsonl</c>, plain or gzip; null for the
    /// cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">They cannot be made; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">A file is malformed, or was changed in the cache.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static IReadOnlyList<SpokenDigit> Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(Fetched, files => DigitFiles.Read(files, Wav, Index), folder, progress, cancellationToken);

    private static void Speak(string root, string destination)
    {
        string data = Directory.EnumerateDirectories(Path.Combine(root, "usr"), "espeak-ng-data", new EnumerationOptions
        {
            RecurseSubdirectories = true,
            IgnoreInaccessible = true,
            MaxRecursionDepth = 3,
        }).FirstOrDefault(folder => File.Exists(Path.Combine(folder, "phontab")))
            ?? throw new IOException("espeak-ng-data is not beside espeak-ng");
        string[] voices = [.. Voices, .. HeldOut];
        if (Array.Find(voices, voice => !File.Exists(Path.Combine(data, "voices", "!v", voice))) is { } missing)
        {
            throw new IOException($"espeak-ng has no voice {missing}; is it a newer release than FastNN knows?");
        }

        string raw = Path.Combine(destination, "raw.wav"), libraries = DebianProgram.LibraryPath(root);
        DigitFiles.Write(
            Path.Combine(destination, Wav), Path.Combine(destination, Index),
            from voice in voices
            from language in Languages
            from digit in Enumerable.Range(0, 10)
            select (Say(voice, language.Voice, digit), digit, language.Language, voice));
        File.Delete(raw);

        float[] Say(string voice, string language, int digit)
        {
            // Speed in words per minute, pitch from 0 to 99; usual are 175 and 50.
            int place = (Array.IndexOf(voices, voice) * 50) + (language[0] * 7) + digit;
            string speed = Invariant(115 + (place * 61 % 91)), pitch = Invariant(25 + (place * 37 % 51));
            Tool.Run(
                Path.Combine(root, Program),
                [
                    $"--path={Path.GetDirectoryName(data)}", "-v", $"{language}+{voice}", "-s", speed, "-p", pitch, "-w", raw,
                    Invariant(digit),
                ],
                destination, CancellationToken.None, libraries);
            WavFile spoken = WavFile.Open(raw);
            return Resampler.Resample(spoken.ReadMono(), spoken.SampleRate, SampleRate);
        }
    }

    private static string Invariant(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>
/// The digits 0 to 9 as people recorded them for the telephone exchange Asterisk, 8 kHz: one voice in each of English, French,
/// Spanish, Italian and Russian, 50 recordings. Too few to train on; what learned from <see cref="SpokenDigits"/> can be tested
/// on them. From Debian's packages <c>asterisk-core-sounds-LANGUAGE-wav</c> (CC BY-SA 3.0).
/// </summary>
public static class AsteriskDigits
{
    private const string Wav = "asterisk-digits.wav", Index = "asterisk-digits.jsonl";

    internal static readonly FetchedDataset Fetched = new()
    {
        Name = "asterisk-digits",
        License = "CC BY-SA 3.0",
        Source = new DebianPackageSet([.. Voices.Select(
            voice => new DebianPackage($"asterisk-core-sounds-{voice.Language}-wav", [.. Enumerable.Range(0, 10).Select(
                digit => PathOf(voice.Folder, digit))]))]),
        Files =
        [
            new DatasetFile(Wav, 511_670, "e53eb989c1dbc618a746c8cb68bcade55037bd54a2006b57b7d0b97737223bb5"),
            new DatasetFile(Index, 4_458, "3dae0bcf2a8052b912e93c8e4145b5f6607cc46f7134893445f47888aa22214f"),
        ],
        Convert = Convert,
        Describe = folder => DigitFiles.Describe(DigitFiles.Read(folder, Wav, Index)),
    };

    private static (string Language, string Folder)[] Voices =>
    [
        ("en", "en_US_f_Allison"), ("fr", "fr_CA_f_June"), ("es", "es_MX_f_Allison"), ("it", "it_IT_m_Carlo"),
        ("ru", "ru_RU_f_IvrvoiceRU"),
    ];

    /// <summary>
    /// Loads the recordings, language by language; without a folder from the cache, where they are fetched to (apt) and verified.
    /// </summary>
    /// <param name="folder">A folder with <c>asterisk-digits.wav</c> and <c>asterisk-digits.jsonl</c>, plain or gzip; null for
    /// the cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">They cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">A file is malformed, or in the cache not the known one.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static IReadOnlyList<SpokenDigit> Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(Fetched, files => DigitFiles.Read(files, Wav, Index), folder, progress, cancellationToken);

    private static void Convert(string root, string destination) => DigitFiles.Write(
        Path.Combine(destination, Wav), Path.Combine(destination, Index),
        from voice in Voices
        from digit in Enumerable.Range(0, 10)
        select (Read(Path.Combine(root, PathOf(voice.Folder, digit))), digit, voice.Language, voice.Folder));

    private static float[] Read(string path)
    {
        WavFile recording = WavFile.Open(path);
        return recording.SampleRate == SpokenDigits.SampleRate
            ? recording.ReadMono()
            : throw new FileFormatException(
                path, 0, $"{SpokenDigits.SampleRate} samples per second", $"{recording.SampleRate}");
    }

    private static string PathOf(string folder, int digit) => $"usr/share/asterisk/sounds/{folder}/digits/{digit}.wav";
}

/// <summary>Spoken digits in files.</summary>
internal static class DigitFiles
{
    private static readonly string[] Fields = ["digit", "language", "voice"];

    public static void Write(
        string wav, string index, IEnumerable<(float[] Samples, int Digit, string Language, string Voice)> recordings) =>
        SoundFile.Write(
            wav, index, SpokenDigits.SampleRate, Fields, recordings.Select(one => (
                one.Samples, new[] { one.Digit.ToString(CultureInfo.InvariantCulture), one.Language, one.Voice })));

    public static List<SpokenDigit> Read(DatasetFolder folder, string wav, string index) =>
        SoundFile.Read(folder, wav, index, Fields, (sound, texts, fault) => texts[0] is [>= '0' and <= '9' and var digit]
            ? new SpokenDigit(digit - '0', texts[1], texts[2], sound)
            : throw fault("a digit", texts[0]));

    public static string Describe(List<SpokenDigit> digits) => string.Create(
        CultureInfo.InvariantCulture,
        $"{digits.Count} spoken digits of {digits.Select(one => one.Voice).Distinct().Count()} voices");
}
