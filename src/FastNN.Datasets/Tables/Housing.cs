namespace FastNN.Data;

/// <summary>
/// House sales in Ames, Iowa, from 2006 to 2010 (De Cock, 2011: Ames, Iowa: alternative to the Boston housing data): 2 930 sales,
/// 33 numbers and 40 categories of each, which become one column per category, targets <c>[1]</c>, the price in dollars. From the
/// Debian package <c>r-cran-modeldata</c> (MIT).
/// </summary>
public static class Housing
{
    private const string FileName = "housing.csv";
    private const string PackageFolder = "usr/lib/R/site-library/modeldata/data";

    internal static readonly FetchedDataset Fetched = new()
    {
        Name = "housing",
        License = "MIT (the R package modeldata)",
        Source = new DebianPackage("r-cran-modeldata", $"{PackageFolder}/Rdata.rdb", $"{PackageFolder}/Rdata.rdx"),
        Files = [new DatasetFile(FileName, 1_270_800, "f9622c57098528c379b80f2d64e71919ed986dc58faa4f0dee0c1782f3746832")],
        Convert = Convert,
        Describe = folder => Summary.Of(Read(folder)),
    };

    private static readonly string[] Categories =
        [
            "MS_SubClass", "MS_Zoning", "Street", "Alley", "Lot_Shape", "Land_Contour", "Utilities", "Lot_Config",
            "Land_Slope", "Neighborhood", "Condition_1", "Condition_2", "Bldg_Type", "House_Style", "Overall_Cond",
            "Roof_Style", "Roof_Matl", "Exterior_1st", "Exterior_2nd", "Mas_Vnr_Type", "Exter_Cond", "Foundation", "Bsmt_Cond",
            "Bsmt_Exposure", "BsmtFin_Type_1", "BsmtFin_Type_2", "Heating", "Heating_QC", "Central_Air", "Electrical",
            "Functional", "Garage_Type", "Garage_Finish", "Garage_Cond", "Paved_Drive", "Pool_QC", "Fence", "Misc_Feature",
            "Sale_Type", "Sale_Condition"];

    /// <summary>
    /// Loads the table as it is, neither shuffled nor standardized; without a folder from the cache, where it is fetched to
    /// (Debian) and verified.
    /// </summary>
    /// <param name="folder">A folder with <c>housing.csv</c>, plain or gzip; null for the cache.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="DatasetFetchException">It cannot be fetched; the message says what to do by hand.</exception>
    /// <exception cref="FileFormatException">The file is malformed, or in the cache not the known one.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static Dataset Load(
        string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default) =>
        DatasetCache.Load(Fetched, Read, folder, progress, cancellationToken);

    private static Dataset Read(DatasetFolder folder) => TableFile.Load(folder, FileName, new CsvOptions
    {
        TargetName = "Sale_Price",
        Target = CsvTarget.Value,
        Categories = Categories,
    });

    private static void Convert(string root, string destination)
    {
        string path = Path.Combine(root, PackageFolder, "Rdata");
        TableFile.Write(Path.Combine(destination, FileName), RTable.From(RDatabase.Read(path, "ames"), path));
    }
}
