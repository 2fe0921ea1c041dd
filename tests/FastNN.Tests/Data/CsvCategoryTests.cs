using FastNN.Data;

namespace FastNN.Tests.Data;

/// <summary>Categories become columns, and missing numbers are filled.</summary>
internal sealed class CsvCategoryTests
{
    private const string Homes =
        "id,rooms,city,area,price\n1,3,Paris,70,500\n2,,Berlin,90,400\n3,5,Paris,NA,900\n4,4,Aachen,80,300\n";

    private static readonly CsvOptions Options = new()
    {
        Target = CsvTarget.Value,
        Ignore = ["id"],
        Categories = ["city"],
        Missing = CsvMissing.Mean,
        MissingTexts = ["", "NA"],
    };

    [Test]
    public void Categories_found_become_columns_in_ordinal_order_and_means_stand_for_missing_numbers()
    {
        Dataset data = Load(Homes, Options);
        Assert.That(data.FeatureNames, Is.EqualTo(new[] { "rooms", "city=Aachen", "city=Berlin", "city=Paris", "area" }));
        Assert.That(data[0].Features, Is.EqualTo(new float[] { 3, 0, 0, 1, 70 }));
        Assert.That(data[1].Features, Is.EqualTo(new float[] { 4, 0, 1, 0, 90 }));
        Assert.That(data[2].Features, Is.EqualTo(new float[] { 5, 0, 0, 1, 80 }));
        Assert.That(data[3].Features, Is.EqualTo(new float[] { 4, 1, 0, 0, 80 }));
        Assert.That(data.Select(example => example.Target[0]), Is.EqualTo(new float[] { 500, 400, 900, 300 }));
    }

    [Test]
    public void Listed_categories_keep_their_order_and_others_are_an_error_or_a_column()
    {
        CsvOptions listed = Options with
        {
            CategoryValues = new Dictionary<string, IReadOnlyList<string>>
            {
                ["city"] = [
            "Paris", "Berlin"]
            },
            Missing = CsvMissing.Constant,
            MissingValue = -1
        };
        Assert.That(
            () => Load(Homes, listed),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("Paris, Berlin").And.Message.Contains(
                "'Aachen'").And.Property(nameof(FileFormatException.Line)).EqualTo(5));
        Dataset data = Load(
            Homes.Replace("Aachen", "", StringComparison.Ordinal),
            listed with { UnknownCategory = CsvUnknownCategory.OwnColumn });
        Assert.That(data.FeatureNames, Is.EqualTo(new[] { "rooms", "city=Paris", "city=Berlin", "city=(other)", "area" }));
        Assert.That(data[1].Features, Is.EqualTo(new float[] { -1, 0, 1, 0, 90 }));
        Assert.That(data[3].Features, Is.EqualTo(new float[] { 4, 0, 0, 1, 80 }));
    }

    [Test]
    public void Missing_cells_are_errors_unless_something_stands_for_them()
    {
        Assert.That(
            () => Load(Homes, Options with { Missing = CsvMissing.Error }),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("empty cell"));
        Assert.That(
            () => Load(Homes.Replace("500", "", StringComparison.Ordinal), Options),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("empty cell"), "a target");
        Assert.That(
            () => Load(Homes.Replace("Berlin", "", StringComparison.Ordinal), Options),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("a category"));
        Assert.That(
            () => Load("a,b,y\n,1,2\n,3,4\n", new CsvOptions { Target = CsvTarget.Value, Missing = CsvMissing.Mean }),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("'a'"));
    }

    [Test]
    public void Options_that_contradict_themselves_are_refused()
    {
        Assert.That(
            () => Load(Homes, Options with { Categories = ["price"] }), Throws.ArgumentException.With.Message.Contains("price"));
        Assert.That(
            () => Load(Homes, Options with { Categories = ["town"] }),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("town"));
        Assert.That(
            () => Load(
                Homes, Options with { CategoryValues = new Dictionary<string, IReadOnlyList<string>> { ["rooms"] = ["1"] } }),
            Throws.ArgumentException.With.Message.Contains("rooms"));
        Assert.That(
            () => Load(
                Homes,
                Options with
                {
                    CategoryValues = new Dictionary<string,
                    IReadOnlyList<string>>
                    { ["city"] = ["Paris", "Paris"] }
                }),
            Throws.ArgumentException.With.Message.Contains("Paris"));
        Assert.That(() => Load(Homes, Options with { MissingValue = float.NaN }), Throws.ArgumentException);
    }

    private static Dataset Load(string text, CsvOptions options)
    {
        using var reader = new StringReader(text);
        return CsvDataset.Load(reader, options);
    }
}
