using FastNN.Data;
using FastNN.Formats;

namespace FastNN.Tests.Data;

/// <summary>The datasets of sound, on small files of the same formats.</summary>
public sealed class SoundDataTests : FolderFixture
{
    [Test]
    public void Recordings_come_back_as_they_were_written()
    {
        float[] one = [0, 0.5f, -0.5f], two = [0.25f, -1];
        DigitFiles.Write(
            At("asterisk-digits.wav"), At("asterisk-digits.jsonl"), [(one, 3, "en", "a"), (two, 9, "ru", "b")]);
        IReadOnlyList<SpokenDigit> digits = AsteriskDigits.Load(Folder);
        Assert.That(digits.Select(digit => (digit.Digit, digit.Language, digit.Voice)),
            Is.EqualTo(new[] { (3, "en", "a"), (9, "ru", "b") }));
        Assert.That((digits[1].Sound.SampleRate, digits[1].Sound.Length), Is.EqualTo((8000, 2)));
        Assert.That(digits[0].Sound.Read(), Is.EqualTo(one));
        Assert.That(digits[1].Sound.Read(), Is.EqualTo(two));
        Assert.That(DigitFiles.Describe([.. digits]), Is.EqualTo("2 spoken digits of 2 voices"));
    }

    [Test]
    public void Lines_that_do_not_fit_the_sound_are_refused()
    {
        DigitFiles.Write(At("spoken-digits.wav"), At("spoken-digits.jsonl"), [(new float[10], 3, "en", "Gene")]);
        string good = File.ReadAllText(At("spoken-digits.jsonl")).Trim();
        Assert.That(SpokenDigits.IsHeldOut(SpokenDigits.Load(Folder)[0]));
        foreach ((string from, string to, string expected) in (ReadOnlySpan<(string, string, string)>)[
            ("\"0\"", "\"1\"", "within 10"), ("\"0\"", "\"-1\"", "within 10"), ("\"10\"", "\"0\"", "within 10"),
            ("\"10\"", "\"x\"", "within 10"), ("\"3\"", "\"10\"", "a digit"), ("\"3\"", "\"\"", "a digit")])
        {
            File.WriteAllText(At("spoken-digits.jsonl"), $"{good}\n{good.Replace(from, to)}\n");
            FileFormatException fault = Assert.Throws<FileFormatException>(() => SpokenDigits.Load(Folder))!;
            Assert.That((fault.Line, fault.FilePath), Is.EqualTo((2, At("spoken-digits.jsonl"))), fault.Message);
            Assert.That(fault.Message, Does.Contain(expected));
        }

        using (FileStream stereo = File.Create(At("spoken-digits.wav")))
        {
            WavFile.Write(stereo, new float[10], 8000, channels: 2);
        }

        Assert.That(
            () => SpokenDigits.Load(Folder), Throws.TypeOf<FileFormatException>().With.Message.Contains("one channel"));
        File.Delete(At("spoken-digits.wav"));
        Assert.That(() => SpokenDigits.Load(Folder), Throws.InstanceOf<FileNotFoundException>());
    }

    [Test]
    public void Sentences_have_texts_and_phonemes_in_order_of_time()
    {
        const string root = "usr/share/festival/voices/russian/msu_ru_nsh_clunits";
        Write(root + "/etc/txt.done.data", "( ru_0001 \" Да, \"нет\". \" )\n( ru_0002 \"Нет\" )\n");
        Write(root + "/lab/ru_0001.lab", "separator ;\n#\n0.10000 125 pau\n0.2 125 d\n0.25000 125 a\n");
        Write(root + "/lab/ru_0002.lab", "#\n0.2 125 nn\n");
        foreach (string name in (string[])["ru_0001", "ru_0002"])
        {
            Directory.CreateDirectory(At(root + "/wav"));
            using FileStream file = File.Create(At($"{root}/wav/{name}.wav"));
            WavFile.Write(file, [0.5f, -0.5f], 16_000);
        }

        FestvoxRu.Fetched.Convert(Folder, Folder);
        IReadOnlyList<SpokenSentence> sentences = FestvoxRu.Load(Folder);
        Assert.That(sentences.Select(one => (one.Name, one.Text)),
            Is.EqualTo(new[] { ("ru_0001", "Да, \"нет\"."), ("ru_0002", "Нет") }));
        Assert.That(sentences[0].Phonemes, Is.EqualTo(new TimedPhoneme[] { new("pau", 0.1), new("d", 0.2), new("a", 0.25) }));
        Assert.That(sentences[1].Sound.Read(), Is.EqualTo(new[] { 0.5f, -0.5f }));

        string index = File.ReadAllText(At("festvox-ru.jsonl"));
        foreach (string bad in (string[])["pau:x", ":0.1", "pau", "pau:0.3", "pau:0.1:2", "pau:-1"])
        {
            Write("festvox-ru.jsonl", index.Replace("pau:0.1", bad));
            Assert.That(
                () => FestvoxRu.Load(Folder), Throws.TypeOf<FileFormatException>().With.Property("Line").EqualTo(1), bad);
        }

        Write(root + "/lab/ru_0002.lab", "#\n0.2 nn\n");
        Assert.That(
            () => FestvoxRu.Fetched.Convert(Folder, Folder),
            Throws.TypeOf<FileFormatException>().With.Property("Line").EqualTo(2));
        Write(root + "/etc/txt.done.data", "( ../x \"text\" )\n");
        Assert.That(
            () => FestvoxRu.Fetched.Convert(Folder, Folder),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("NAME"));
    }

    [Test]
    public void The_libraries_of_an_unpacked_program_are_found()
    {
        Write("usr/lib/x/liba.so.1", "");
        Write("usr/lib/x/libb.so.1.2", "");
        Write("usr/lib/x/deep/libc.so", "");
        Write("usr/share/doc/text", "");
        Assert.That(DebianProgram.LibraryPath(Folder), Is.EqualTo($"{At("usr/lib/x")}:{At("usr/lib/x/deep")}"));
        Assert.That(DebianProgram.LibraryPath("/"), Is.Empty);
        Assert.That(SpokenDigits.Fetched.Instructions("F"), Does.Contain("espeak-ng").And.Contain("spoken-digits.wav"));
        Assert.That(AsteriskDigits.Fetched.Instructions("F"), Does.Contain("asterisk-core-sounds-fr-wav"));
    }

    private void Write(string name, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllText(At(name), content);
    }
}
