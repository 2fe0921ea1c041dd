using System.Globalization;
using FastNN.Hosting;

namespace TumorWorker;

/// <summary>
/// Writes NAME.labels for every NAME.csv in the folder, a label for each row of measurements. Rows are asked for at once, and
/// the model's queue computes them together.
/// </summary>
internal sealed class Labeler(
    [FromKeyedServices("tumors")] IPredictor<float[], ClassPrediction> tumors, IConfiguration configuration,
    IHostApplicationLifetime lifetime, ILogger<Labeler> logger) : BackgroundService
{
    private readonly string _inbox = Path.GetFullPath(configuration["inbox"] ?? "inbox");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(2));
        do
        {
            foreach (string table in Directory.EnumerateFiles(_inbox, "*.csv").Order())
            {
                string labels = Path.ChangeExtension(table, ".labels");
                if (!File.Exists(labels))
                {
                    await LabelAsync(table, labels, stoppingToken);
                }
            }

            if (configuration.GetValue<bool>("once"))
            {
                lifetime.StopApplication();
                return;
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task LabelAsync(string table, string labels, CancellationToken cancellation)
    {
        string[] rows = await File.ReadAllLinesAsync(table, cancellation);
        ClassPrediction[] classes = await Task.WhenAll(
            rows.Select(row => tumors.PredictAsync(Numbers(row), cancellation).AsTask()));

        // Under another name first: a reader who sees the file sees all of it.
        await File.WriteAllLinesAsync(labels + ".part", classes.Select(row => row.Label), cancellation);
        File.Move(labels + ".part", labels, overwrite: true);
        logger.LogInformation(
            "{Table}: {Rows} rows, {Malignant} malignant", Path.GetFileName(table), rows.Length,
            classes.Count(row => row.Label == "malignant"));
    }

    private static float[] Numbers(string row) =>
        [.. row.Split(',').Select(number => float.Parse(number, CultureInfo.InvariantCulture))];
}
