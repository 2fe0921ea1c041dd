using FastNN.Data;
using FastNN.Hosting;
using FastNN.Layers;

namespace FastNN.Cli.Running;

/// <summary>A model of a recipe as a file that other programs load and `fastnn serve` serves.</summary>
internal static class KeptModel
{
    /// <summary>
    /// Saves layers, parameters and, where they are given, the standardization of raw examples, the names of the classes, and the
    /// statistics of the training examples, with which a server compares its callers' inputs.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="model">A built model of registered layers.</param>
    /// <param name="train">What it was trained on, raw where there is a standardizer; null where that is no data set.</param>
    /// <param name="standardizer">What the model does to raw examples from now on; null for nothing.</param>
    public static void Save(string path, Layer model, Dataset? train = null, Standardizer? standardizer = null)
    {
        // A loss of two classes may have one output, which a name for each class does not fit.
        IReadOnlyList<string> names = train?.ClassNames ?? [];
        bool isNamed = names.Count > 0 && new ModelTrace(model).Outputs[0].Shape[^1] == names.Count;
        model.Save(path, new SaveOptions
        {
            ClassNames = isNamed ? names : null,
            Preprocessing = standardizer is null
                ? null
                : Preprocessing.Standardizing(standardizer.Mean, standardizer.StandardDeviation),
        });
        if (train is not null)
        {
            TrainingStatistics.Of(train).AddTo(path);
        }
    }
}
