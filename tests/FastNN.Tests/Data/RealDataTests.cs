using FastNN.Data;

namespace FastNN.Tests.Data;

/// <summary>The real datasets. Those that are fetched are tested where they are in the cache.</summary>
public sealed class RealDataTests
{
    [Test]
    public void Mnist_is_what_it_is_known_to_be()
    {
        Require("mnist");
        DatasetSplit mnist = Mnist.Load();
        Assert.That((mnist.Train.Count, mnist.Test.Count), Is.EqualTo((60_000, 10_000)));
        Assert.That(mnist.Train.ExampleShape.ToArray(), Is.EqualTo(new[] { 28, 28, 1 }));
        Assert.That(First(mnist.Train), Is.EqualTo(new[] { 5, 0, 4, 1, 9, 2, 1, 3, 1, 4 }));
        Assert.That(First(mnist.Test), Is.EqualTo(new[] { 7, 2, 1, 0, 4, 1, 4, 9, 5, 9 }));
        Assert.That(Histogram(mnist.Train), Is.EqualTo(new[] { 5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949 }));

        // The mean and deviation that every tutorial normalises with.
        (double mean, double deviation) = Moments(mnist.Train);
        Assert.That(mean, Is.EqualTo(0.1307).Within(5e-5));
        Assert.That(deviation, Is.EqualTo(0.3081).Within(5e-5));
    }

    [Test]
    public void Fashion_mnist_is_what_it_is_known_to_be()
    {
        Require("fashion-mnist");
        DatasetSplit fashion = FashionMnist.Load();
        Assert.That((fashion.Train.Count, fashion.Test.Count), Is.EqualTo((60_000, 10_000)));
        Assert.That(fashion.Train.ClassNames[fashion.Train.LabelOf(0)], Is.EqualTo("Ankle boot"));
        Assert.That(Histogram(fashion.Train), Has.All.EqualTo(6000));
        (double mean, double deviation) = Moments(fashion.Train);
        Assert.That(mean, Is.EqualTo(0.2860).Within(5e-5));
        Assert.That(deviation, Is.EqualTo(0.3530).Within(5e-5));
    }

    [Test]
    public void The_breast_cancer_table_is_what_it_is_known_to_be()
    {
        Dataset table = BreastCancer.Load();
        Assert.That(table.Count, Is.EqualTo(569));
        Assert.That(table.ExampleShape.ToArray(), Is.EqualTo(new[] { 30 }));
        Assert.That(table.ClassNames, Is.EqualTo(new[] { "malignant", "benign" }));
        Assert.That(Histogram(table), Is.EqualTo(new[] { 212, 357 }));
        Assert.That(table.FeatureNames, Has.Count.EqualTo(30));
        Assert.That((table.FeatureNames[0], table.FeatureNames[13], table.FeatureNames[29]),
            Is.EqualTo(("mean radius", "area error", "worst fractal dimension")));

        // Extremes as the table's description gives them.
        float least = float.MaxValue, most = 0;
        var row = new float[30];
        for (int i = 0; i < table.Count; i++)
        {
            table.CopyFeatures(i, row);
            (least, most) = (Math.Min(least, row[0]), Math.Max(most, row[23]));
        }

        Assert.That((least, most), Is.EqualTo((6.981f, 4254f)));
        Assert.That(table.BinaryTargets().Split(0.2, 1).Test.Count, Is.EqualTo(114));
    }

    [Test]
    public void Colored_digits_keep_shape_and_contrast()
    {
        var gray = new byte[50 * 784];
        for (int i = 0; i < gray.Length; i++)
            gray[i] = (byte)(i % 784 is 0 or 783 ? 255 : 0);
        Dataset digits = Dataset.FromBytes(gray, [28, 28, 1], new int[50], ["a"]);
        Dataset one = ColorMnist.Color(digits, seed: 1, part: 0);
        Assert.That(one.ExampleShape.ToArray(), Is.EqualTo(new[] { 32, 32, 3 }));
        var image = new float[3072];
        var again = new float[3072];
        for (int example = 0; example < 50; example++)
        {
            one.CopyFeatures(example, image);
            ColorMnist.Color(digits, seed: 1, part: 0).CopyFeatures(example, again);
            Assert.That(again, Is.EqualTo(image));
            ColorMnist.Color(digits, seed: 1, part: 1).CopyFeatures(example, again);
            Assert.That(again, Is.Not.EqualTo(image));
            Assert.That(image, Has.All.InRange(0f, 1f));

            // Ink stands at the gray corners, two pixels in; all the rest is ground.
            float[] ground = image[..3];
            float[] ink = Pixel(image, 2, 2);
            Assert.That(Pixel(image, 29, 29), Is.EqualTo(ink));
            Assert.That(Math.Abs(Luminance(ink) - Luminance(ground)), Is.GreaterThanOrEqualTo(0.4f - 1e-5f));
            for (int y = 0; y < 32; y++)
            {
                for (int x = 0; x < 32; x++)
                {
                    if ((x, y) is not ((2, 2) or (29, 29)))
                        Assert.That(Pixel(image, y, x).AsSpan().SequenceEqual(ground), Is.True);
                }
            }
        }
    }

    [Test]
    public void Coloring_keeps_views_and_labels()
    {
        Dataset digits = Dataset.FromBytes(new byte[5 * 784], [28, 28, 1], [0, 1, 2, 3, 4], ["a", "b", "c", "d", "e"]);
        Dataset taken = ColorMnist.Color(digits, 1, 0).Split(3).Test;
        Assert.That((taken.LabelOf(0), taken.LabelOf(1)), Is.EqualTo((3, 4)));
        Assert.That(() => ColorMnist.Color(BreastCancer.Load(), 1, 0), Throws.ArgumentException);
    }

    [Test]
    public void Letters_are_what_they_are_known_to_be()
    {
        Require("letter-recognition");
        (Dataset train, Dataset test) = LetterRecognition.Load();
        Assert.That((train.Count, test.Count, train.ExampleSize), Is.EqualTo((16_000, 4_000, 16)));
        Assert.That(string.Concat(First(train).Select(label => train.ClassNames[label])), Is.EqualTo("TIDNGSBAJM"));

        // All 789 letters A of the paper's table of counts.
        Assert.That(Histogram(train)[0] + Histogram(test)[0], Is.EqualTo(789));
    }

    [Test]
    public void Movielens_is_what_it_is_known_to_be()
    {
        Require("movielens");
        MovielensData data = Movielens.Load();
        Assert.That((data.Ratings.Count, data.Films.Count, data.Users), Is.EqualTo((100_004, 9_066, 671)));
        var stars = new float[1];
        double sum = 0;
        for (int i = 0; i < data.Ratings.Count; i++)
        {
            data.Ratings.CopyTarget(i, stars);
            sum += stars[0];
        }

        Assert.That(sum / data.Ratings.Count, Is.EqualTo(3.5436).Within(5e-5));
        Assert.That((data.Films[0].Title, data.Films[0].Year), Is.EqualTo(("Toy Story", (int?)1995)));
    }

    [Test]
    public void The_demand_for_electricity_has_the_season_of_a_week()
    {
        Require("electricity-demand");
        float[] series = ElectricityDemand.Load();
        Assert.That(series, Has.Length.EqualTo(4_032));
        Assert.That(series[..3], Is.EqualTo(new[] { 22_262f, 21_756, 22_247 }));
        double day = Error(ElectricityDemand.Day), week = Error(ElectricityDemand.Week);
        Assert.That(week, Is.LessThan(0.03), "the demand of a week before is a good forecast");
        Assert.That(day, Is.GreaterThan(2 * week));

        double Error(int lag) => series.Skip(lag).Select((now, i) => Math.Abs(now - series[i]) / now).Average();
    }

    [Test]
    public void Speeches_are_in_order_of_time()
    {
        Require("state-of-the-union");
        IReadOnlyList<Speech> speeches = StateOfTheUnion.Load();
        Assert.That(speeches, Has.Count.EqualTo(233));
        Assert.That(speeches.Select(speech => speech.Year), Is.Ordered);
        Assert.That((speeches[0].President, speeches[^1].President), Is.EqualTo(("George Washington", "Joseph R Biden")));
        Assert.That(
            speeches.Where(speech => speech.Year == 1953).Select(speech => speech.President),
            Is.EqualTo(new[] { "Harry S Truman", "Dwight D Eisenhower" }));
    }

    [Test]
    public void Mails_are_in_five_groups()
    {
        Require("spam-assassin");
        IReadOnlyList<Mail> mails = SpamAssassin.Load();
        Assert.That(mails.GroupBy(mail => mail.Group).Select(group => (group.Key, group.Count())), Is.EqualTo(new[]
        {
            ("easy-ham-1", 2500), ("easy-ham-2", 1400), ("hard-ham-1", 250), ("spam-1", 500), ("spam-2", 1396),
        }));
        Assert.That(mails.Count(mail => mail.Subject.Length > 0), Is.GreaterThan(5_900));
    }

    [Test]
    public void The_dictionary_has_39_phonemes()
    {
        Require("cmudict");
        IReadOnlyList<Pronunciation> words = CmuDict.Load();
        Assert.That(words, Has.Count.EqualTo(133_784));
        Assert.That(words.Count(word => word.Variant == 0), Is.EqualTo(125_005));
        var symbols = words.SelectMany(word => word.Phonemes).ToHashSet();
        Assert.That(symbols, Has.Count.EqualTo(69));
        Assert.That(symbols.Select(symbol => symbol.TrimEnd('0', '1', '2')).Distinct().Count(), Is.EqualTo(39));
        Assert.That(
            words.First(word => word.Word == "TOMATO").Phonemes, Is.EqualTo(new[] { "T", "AH0", "M", "EY1", "T", "OW2" }));
    }

    [Test]
    public void Irises_are_what_they_are_known_to_be()
    {
        Require("iris");
        Dataset iris = Iris.Load();
        Assert.That((iris.Count, iris.ExampleSize), Is.EqualTo((150, 4)));
        Assert.That(Histogram(iris), Is.EqualTo(new[] { 50, 50, 50 }));
        (double mean, _) = Moments(iris);
        Assert.That(mean, Is.EqualTo(3.4636).Within(5e-4));
    }

    [Test]
    public void Mortgages_are_denied_to_three_times_as_many_black_applicants()
    {
        Require("hmda");
        Dataset table = Hmda.Load();
        Assert.That((table.Count, table.ExampleSize), Is.EqualTo((2_380, 13)));
        int race = table.FeatureNames.ToList().IndexOf("afam");
        var counts = new int[2, 2];
        var row = new float[13];
        for (int i = 0; i < table.Count; i++)
        {
            table.CopyFeatures(i, row);
            counts[(int)row[race], table.LabelOf(i)]++;
        }

        Assert.That(counts, Is.EqualTo(new[,] { { 2_041 - 189, 189 }, { 339 - 96, 96 } }));
    }

    [Test]
    public void Credits_and_houses_are_what_they_are_known_to_be()
    {
        Require("german-credit");
        Require("housing");
        Dataset credit = GermanCredit.Load();
        Assert.That(Histogram(credit), Is.EqualTo(new[] { 700, 300 }));
        Assert.That(credit.FeatureNames, Has.Member("personal_status=female div/dep/mar").And.Member("age"));

        Dataset houses = Housing.Load();
        Assert.That((houses.Count, houses.TargetSize), Is.EqualTo((2_930, 1)));
        var price = new float[1];
        double sum = 0;
        for (int i = 0; i < houses.Count; i++)
        {
            houses.CopyTarget(i, price);
            sum += price[0];
        }

        // The mean price in De Cock's paper.
        Assert.That(sum / houses.Count, Is.EqualTo(180_796).Within(1));
    }

    [Test]
    public void Packages_have_descriptions_translations_and_dependencies()
    {
        Require("debian-packages");
        PackageGraph graph = DebianGraph.Load();
        Assert.That(graph.Nodes, Has.Count.GreaterThan(50_000));
        Assert.That(graph.ClassNames, Has.Count.InRange(40, 80).And.Member("games").And.Member("libs"));
        Assert.That(graph.Sources, Has.Count.GreaterThan(200_000).And.Count.EqualTo(graph.Targets.Count));
        int libc = graph.Nodes.ToList().FindIndex(node => node.Name == "libc6");
        Assert.That(graph.Targets.Count(target => target == libc), Is.GreaterThan(10_000));
        Assert.That(graph.Nodes.Count(node => node.Text.Length > 0), Is.GreaterThan(50_000));
        Assert.That(graph.Nodes.Select(node => node.Source).Distinct().Count(), Is.InRange(20_000, 50_000));
        Assert.That(DebianDescriptions.LoadTranslations("it"), Has.Count.GreaterThan(80_000));
        Assert.That(DebianDescriptions.LoadTranslations("de"), Has.Count.GreaterThan(20_000));
    }

    [Test]
    public void Digits_are_spoken_by_every_voice_in_every_language()
    {
        Require("spoken-digits");
        Require("asterisk-digits");
        IReadOnlyList<SpokenDigit> digits = SpokenDigits.Load();
        Assert.That(digits, Has.Count.EqualTo(3_100));
        Assert.That(digits.GroupBy(one => (one.Voice, one.Language, one.Digit)).Count(), Is.EqualTo(3_100));
        Assert.That(digits.Where(SpokenDigits.IsHeldOut).Select(one => one.Voice).Distinct().Count(), Is.EqualTo(16));
        IReadOnlyList<SpokenDigit> people = AsteriskDigits.Load();
        Assert.That(people.Select(one => one.Digit), Is.EqualTo(Enumerable.Range(0, 50).Select(i => i % 10)));
        foreach (SpokenDigit one in digits.Concat(people))
        {
            Assert.That(one.Sound.SampleRate, Is.EqualTo(8000));
            Assert.That(one.Sound.Length, Is.InRange(1_600, 16_000), $"{one.Digit} by {one.Voice}, {one.Language}");
            Assert.That(one.Sound.Read().Max(Math.Abs), Is.InRange(0.03, 1));
        }
    }

    [Test]
    public void Sentences_last_as_long_as_their_phonemes()
    {
        Require("festvox-ru");
        IReadOnlyList<SpokenSentence> sentences = FestvoxRu.Load();
        Assert.That(sentences, Has.Count.EqualTo(620));
        Assert.That(sentences.Sum(one => (double)one.Sound.Length) / 16_000 / 3600, Is.EqualTo(1.66).Within(0.005));
        Assert.That(sentences.SelectMany(one => one.Phonemes).Select(one => one.Symbol).Distinct().Count(), Is.EqualTo(51));
        foreach (SpokenSentence one in sentences)
        {
            Assert.That(one.Phonemes[^1].End, Is.EqualTo(one.Sound.Length / 16_000.0).Within(0.1), one.Name);
        }

        Assert.That(sentences[0].Text, Does.StartWith("Корреспондент"));
    }

    private static void Require(string name)
    {
        if (!DatasetCache.IsPresent(name))
            Assert.Ignore($"{name} is not in {DatasetCache.Root}; 'fastnn data {name}' fetches it");
    }

    private static int[] First(Dataset data) => [.. Enumerable.Range(0, 10).Select(data.LabelOf)];

    private static int[] Histogram(Dataset data)
    {
        var counts = new int[data.Classes];
        for (int i = 0; i < data.Count; i++)
            counts[data.LabelOf(i)]++;
        return counts;
    }

    private static (double Mean, double Deviation) Moments(Dataset data)
    {
        double sum = 0, squares = 0;
        var row = new float[data.ExampleSize];
        for (int i = 0; i < data.Count; i++)
        {
            data.CopyFeatures(i, row);
            foreach (float value in row)
                (sum, squares) = (sum + value, squares + ((double)value * value));
        }

        double count = (double)data.Count * data.ExampleSize;
        return (sum / count, Math.Sqrt((squares / count) - (sum / count * (sum / count))));
    }

    private static float[] Pixel(float[] image, int y, int x) => image[(((y * 32) + x) * 3)..(((y * 32) + x + 1) * 3)];

    private static float Luminance(float[] rgb) => (0.2126f * rgb[0]) + (0.7152f * rgb[1]) + (0.0722f * rgb[2]);
}
