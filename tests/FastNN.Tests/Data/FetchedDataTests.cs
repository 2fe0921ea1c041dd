using System.Text;
using FastNN.Data;

namespace FastNN.Tests.Data;

/// <summary>The datasets that are fetched, on small files of the same formats.</summary>
public sealed class FetchedDataTests : FolderFixture
{
    [Test]
    public void Letters_are_split_after_sixteen_thousand()
    {
        const string header = "letter,a,b\n";
        string rows = string.Concat(Enumerable.Repeat("A,1,2\n", 16_000));
        Write("letter-recognition.csv", header + rows + "Z,15,0\n");
        DatasetSplit split = LetterRecognition.Load(Folder);
        Assert.That((split.Train.Count, split.Test.Count, split.Test.LabelOf(0)), Is.EqualTo((16_000, 1, 25)));
        Assert.That(split.Train.FeatureNames, Is.EqualTo(new[] { "a", "b" }));
        Write("letter-recognition.csv", header + rows);
        Refuses(() => LetterRecognition.Load(Folder), 16_002, 1, "16000");
        Write("letter-recognition.csv", header + "A,1,2\nÄ,1,2\n");
        Refuses(() => LetterRecognition.Load(Folder), 3, 1, "26 classes");
    }

    [Test]
    public void Ratings_name_users_and_films_by_index()
    {
        Write("films.csv", "id,title,year,genres\n7,\"One, The\",1999,Drama|War\n9,,,\n");
        Write("ratings.csv", "user,film,stars,time\n0,1,2.5,100\n2,0,5,99\n");
        MovielensData data = Movielens.Load(Folder);
        Assert.That((data.Users, data.Ratings.Count, data.Ratings.TargetSize), Is.EqualTo((3, 2, 1)));
        Assert.That(data.Times, Is.EqualTo(new[] { 100L, 99 }));
        var row = new float[2];
        data.Ratings.CopyFeatures(1, row);
        Assert.That(row, Is.EqualTo(new[] { 2f, 0 }));
        Assert.That((data.Films[0].Title, data.Films[0].Year, data.Films[0].Id), Is.EqualTo(("One, The", (int?)1999, 7)));
        Assert.That(data.Films[0].Genres, Is.EqualTo(new[] { "Drama", "War" }));
        Assert.That((data.Films[1].Title, data.Films[1].Year, data.Films[1].Genres.Count), Is.EqualTo(("", (int?)null, 0)));

        Write("ratings.csv", "user,film,stars,time\n0,1,2.5,100\n0,2,2.5,100\n");
        Refuses(() => Movielens.Load(Folder), 3, 2, "from 0 to 1");
        Write("ratings.csv", "user,film,stars,time\n0,1,NaN,100\n");
        Refuses(() => Movielens.Load(Folder), 2, 3, "finite");
        Write("ratings.csv", "user,film,stars,time\n0,1,1\n");
        Refuses(() => Movielens.Load(Folder), 2, 3, "4 cells");
        Write("ratings.csv", "user,film,stars\n0,1,1\n");
        Refuses(() => Movielens.Load(Folder), 1, 1, "header");
        Write("ratings.csv", "user,film,stars,time\n");
        Refuses(() => Movielens.Load(Folder), 2, 1, "a record");
        File.Delete(Path.Combine(Folder, "films.csv"));
        Assert.That(() => Movielens.Load(Folder), Throws.TypeOf<FileNotFoundException>().With.Message.Contains("films.csv"));
    }

    [Test]
    public void A_series_is_a_column_of_numbers()
    {
        Write("electricity-demand.csv", "megawatts\n22262\n21756.5\n");
        Assert.That(ElectricityDemand.Load(Folder), Is.EqualTo(new[] { 22262f, 21756.5f }));
        Write("electricity-demand.csv", "megawatts\n22262\nx\n");
        Refuses(() => ElectricityDemand.Load(Folder), 3, 1, "finite number");
    }

    [Test]
    public void Speeches_have_a_year_and_a_speaker()
    {
        Write("state-of-the-union.jsonl",
            """
            {"year":"1790","president":"George Washington","party":"none","text":"Fellow\nCitizens \u00e9"}

            {"extra":[1,{}],"text":"x","party":"p","president":"q","year":"2000"}
            """);
        IReadOnlyList<Speech> speeches = StateOfTheUnion.Load(Folder);
        Assert.That(speeches.Select(speech => speech.Year), Is.EqualTo(new[] { 1790, 2000 }));
        Assert.That((speeches[0].President, speeches[0].Party, speeches[0].Text),
            Is.EqualTo(("George Washington", "none", "Fellow\nCitizens é")));
        const string good = """{"year":"1790","president":"a","party":"b","text":"c"}""";
        foreach (string bad in (string[])[
            "[]", "1", "{", good[..^1], good + "x", good + good, good.Replace("\"c\"", "1"), good.Replace("text", "test"),
            good.Replace("party", "text"), good.Replace("1790", "MDCCXC"), good.Replace("\"c\"", "\"\\ud800\""),
            good.Replace("c", "\u0001")])
        {
            Write("state-of-the-union.jsonl", $"{good}\n{bad}\n");
            Refuses(() => StateOfTheUnion.Load(Folder), 2, null, "");
        }

        File.WriteAllBytes(
            Path.Combine(Folder, "state-of-the-union.jsonl"), [.. Encoding.Latin1.GetBytes(good.Replace("c", "é"))]);
        Refuses(() => StateOfTheUnion.Load(Folder), 1, null, "UTF-8");
        Write("state-of-the-union.jsonl", "\n");
        Refuses(() => StateOfTheUnion.Load(Folder), 2, 1, "a line");
    }

    [Test]
    public void Records_come_back_as_they_were_written()
    {
        string[][] records = [["", "\"\\\b\f\n\r\t\u0001\u2028é𝄞"], ["a", "/"]];
        string path = Path.Combine(Folder, "x.jsonl");
        JsonLines.Write(path, ["one", "t\"wo"], records);
        Assert.That(JsonLines.Read(File.ReadAllBytes(path), path, ["one", "t\"wo"], (texts, _) => texts), Is.EqualTo(records));
        Assert.That(File.ReadAllText(path).Split('\n'), Has.Length.EqualTo(3));

        TableFile.Write(Path.Combine(Folder, "x.csv"), ["a", "b,c"], [["1", null], ["\"q\"\n", "x"]]);
        Assert.That(File.ReadAllText(Path.Combine(Folder, "x.csv")), Is.EqualTo("a,\"b,c\"\n1,\"\"\"q\"\"\n\"\n,x\n"));
    }

    [Test]
    public void Mails_have_a_group_a_subject_and_a_body()
    {
        Write("spam-assassin.jsonl",
            """
            {"group":"hard-ham-1","text":"From: a\nsubject: Hello, \n\nBody\n\nSubject: none"}
            {"group":"spam-2","text":"no headers"}
            """);
        IReadOnlyList<Mail> mails = SpamAssassin.Load(Folder);
        Assert.That(mails.Select(mail => mail.IsSpam), Is.EqualTo(new[] { false, true }));
        Assert.That((mails[0].Subject, mails[0].Body), Is.EqualTo(("Hello,", "Body\n\nSubject: none")));
        Assert.That((mails[1].Subject, mails[1].Body), Is.EqualTo(("", "no headers")));
        Write("spam-assassin.jsonl", """{"group":"ham","text":"x"}""");
        Refuses(() => SpamAssassin.Load(Folder), 1, 1, "easy-ham-1");
    }

    [Test]
    public void Words_have_phonemes_and_variants()
    {
        File.WriteAllBytes(
            Path.Combine(Folder, "cmudict.txt"),
            Encoding.Latin1.GetBytes(";;; comment\nA  AH0\nA(1)  EY1\nDÉJÀ  D EY2 JH AA1\n"));
        IReadOnlyList<Pronunciation> words = CmuDict.Load(Folder);
        Assert.That(words.Select(word => (word.Word, word.Variant)), Is.EqualTo(new[] { ("A", 0), ("A", 1), ("DÉJÀ", 0) }));
        Assert.That(words[2].Phonemes, Is.EqualTo(new[] { "D", "EY2", "JH", "AA1" }));
        foreach ((string line, int column) in (ReadOnlySpan<(string, int)>)[
            ("A AH0", 1), ("  AH0", 1), ("A  ", 2), ("A  AH0 ah", 3), ("A  AH3", 2), ("A  AH01", 2), ("A  AHH", 2), ("A  0", 2)])
        {
            Write("cmudict.txt", $"A  AH0\n{line}\n");
            Refuses(() => CmuDict.Load(Folder), 2, column, "");
        }

        Write("cmudict.txt", "");
        Refuses(() => CmuDict.Load(Folder), 1, 1, "phonemes");
    }

    [Test]
    public void Tables_have_their_target_and_their_categories()
    {
        Write("iris.csv", "sepallength,sepalwidth,petallength,petalwidth,class\n5.1,3.5,1.4,0.2,Iris-virginica\n");
        Assert.That((Iris.Load(Folder).LabelOf(0), Iris.Load(Folder).ExampleSize), Is.EqualTo((2, 4)));
        Write("iris.csv", "sepallength,class\n5.1,Iris-virginica\n?,Iris-setosa\n");
        Refuses(() => Iris.Load(Folder), 3, 1, "number");

        Write("hmda.csv", "deny,pirat,afam\nno,0.25,1\nyes,0.5,0\n");
        Dataset hmda = Hmda.Load(Folder);
        Assert.That((hmda.LabelOf(0), hmda.LabelOf(1), hmda.FeatureNames[1]), Is.EqualTo((0, 1, "afam")));
        Write("hmda.csv", "deny,pirat\nmaybe,0.25\n");
        Refuses(() => Hmda.Load(Folder), 2, 1, "2 classes");
        Write("german-credit.csv", "age,class\n30,good\n");
        Refuses(() => GermanCredit.Load(Folder), 1, 1, "checking_status");
        Write("housing.csv", "Sale_Price,Lot_Area\n1,2\n");
        Refuses(() => Housing.Load(Folder), 1, 1, "MS_SubClass");
    }

    private static void Refuses(Action load, int line, int? column, string expected)
    {
        FileFormatException fault = Assert.Throws<FileFormatException>(load)!;
        Assert.That(fault.Line, Is.EqualTo(line), fault.Message);
        Assert.That(fault.Column, column is null ? Is.Positive : Is.EqualTo(column), fault.Message);
        Assert.That(fault.Message, Does.Contain(expected));
    }

    private void Write(string name, string content) => File.WriteAllText(Path.Combine(Folder, name), content);
}
