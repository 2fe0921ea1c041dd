using FastNN.Data;
using FastNN.Testing;

namespace FastNN.Users.Tests.Guides;

/// <summary>The code of docs/guides/quick-start.md, as the page shows it, and what it must give.</summary>
internal sealed class QuickStartGuideTests : FolderFixture
{
    [Test]
    public void A_classifier_is_trained_saved_and_used()
    {
        string file = At("tumors.safetensors");
        var output = new StringWriter();
        Train(file, output);
        GuidePage.AssertShows("quick-start.md", output.ToString());

        output = new StringWriter();
        Use(file, output);
        GuidePage.AssertShows("quick-start.md", output.ToString());
    }

    private static void Train(string file, TextWriter console)
    {
        using Device device = Device.Cpu();
        (Dataset train, Dataset test) = BreastCancer.Load().Split(0.2, seed: 1);
        Standardizer scale = Standardizer.Fit(train);           // means and deviations of the training examples alone

        var model = new Sequential(
            new Dense(32, Activation.ReLU),
            new Dropout(0.25f),
            new Dense(2));
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new AdamW(0.003f), seed: 1);
        History history = trainer.Fit(
            scale.Apply(train), epochs: 30, batchSize: 32, validationSplit: 0.1,
            callbacks: [new EarlyStopping(patience: 5, restoreBest: true)]);
        Evaluation result = trainer.Evaluate(scale.Apply(test));
        console.WriteLine(model.Summary());
        console.WriteLine($"{result.Accuracy:P1} of the {test.Count} test examples after {history.Epochs.Count} epochs");

        model.Save(file, new SaveOptions
        {
            ClassNames = test.ClassNames,
            Preprocessing = Preprocessing.Standardizing(scale.Mean, scale.StandardDeviation),
        });
        Assert.That(result.Accuracy, Is.GreaterThan(0.95));
    }

    private static void Use(string file, TextWriter console)
    {
        using Device device = Device.Cpu();
        Model model = Model.Load(file);                         // layers, weights, class names, and what raw inputs need
        using Predictor predictor = model.CreatePredictor(device);

        (_, Dataset test) = BreastCancer.Load().Split(0.2, seed: 1);
        int right = 0;
        foreach (Example example in test)
        {
            float[] scores = predictor.Predict([.. example.Features]);
            right += Array.IndexOf(scores, scores.Max()) == example.Label ? 1 : 0;
        }

        console.WriteLine($"{right} of {test.Count} right; classes {string.Join(", ", model.ClassNames)}");
    }
}
