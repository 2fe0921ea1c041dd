namespace FastNN.Data;

/// <summary>
/// The Breast Cancer Wisconsin (Diagnostic) table (Wolberg, Mangasarian, Street, Street, 1995; CC BY 4.0): 569 tumours,
/// 30 measurements of their cell nuclei each, malignant (0) or benign (1). The table is part of this assembly.
/// </summary>
public static class BreastCancer
{
    private const string Resource = "FastNN.Data.breast_cancer.csv";

    private static readonly string[] Measurements =
        [
            "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points", "symmetry",
            "fractal dimension"];

    /// <summary>
    /// Loads the table as it is, neither shuffled nor standardized: split it, then use a <see cref="Standardizer"/>.
    /// </summary>
    public static Dataset Load()
    {
        using Stream stream = typeof(BreastCancer).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"the assembly was built without its resource {Resource}");

        // The first line holds the size of the table and the names of its classes.
        var options = new CsvOptions { SkipLines = 1, HasHeader = false, ClassNames = ["malignant", "benign"] };
        return CsvDataset.Load(stream, options, "breast_cancer.csv").WithFeatureNames(FeatureNames());
    }

    private static string[] FeatureNames() =>
    [
        .. Measurements.Select(name => $"mean {name}"),
        .. Measurements.Select(name => $"{name} error"),
        .. Measurements.Select(name => $"worst {name}"),
    ];
}
