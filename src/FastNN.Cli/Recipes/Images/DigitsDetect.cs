using FastNN.Cli.Running;
using FastNN.Data;
using FastNN.Formats;

namespace FastNN.Cli.Recipes;

/// <summary>
/// A one-stage detector: one pass over an image gives, for every cell of a grid, how likely a digit's center is near, which digit
/// it is, and the digit's box.
/// </summary>
internal sealed class DigitsDetect : ScriptedRecipe
{
    private const int Classes = 10;
    private const int Batch = 16;
    private const float LearningRate = 5e-3f;

    public override string Name => "digits-detect";

    public override string Network =>
        "Conv 3x3 with batch norm: 16, 16, 32, 32, 64, 64, 64 channels, three of them with stride 2; for each of 12x12 cells 10 scores and a box";

    public override string DataDescription =>
        "scenes of 96x96 with 3 to 7 MNIST digits of several sizes in clutter, 24,000 of the training and 1,000 of the test digits";

    public override string TrainingDescription =>
        "focal loss of the scores, smooth L1 of the boxes, AdamW with one cycle up to 5e-3, batch 16, 4 epochs";

    public override Goal Goal => new("mAP at IoU 0.5", 0.90);

    public override Goal QuickGoal => new("mAP at IoU 0.5", 0.15);

    public override IReadOnlyList<string> Files => ["detector.safetensors", "digits-detect.png"];

    public override double Run(ScriptRun run)
    {
        DatasetSplit digits = Mnist.Load(run.Data, run.Say);
        int scenes = run.Pick(24_000, 6_400), tests = run.Pick(1_000, 200), epochs = run.Pick(4, 1);
        DigitScenes training = Scenes(run, digits.Train, part: 0), testing = Scenes(run, digits.Test, part: 1);
        var grid = new BoxGrid(training.Side, stride: 8, Classes);
        FastNN.Model model = CreateModel(training.Side);
        model.Build(run.Seed);
        var optimizer = new AdamW(LearningRate) { Schedule = Schedule.OneCycle(LearningRate, epochs * (scenes / Batch)) };
        using var trainer = new Trainer(model, run.Device, Loss.From("Detection", grid.Loss), optimizer, run.Seed);
        trainer.Fit(
            training.ToDataset(scenes, grid.Shape, (scene, target) => grid.Encode(scene.Objects, target)), epochs, Batch,
            callbacks: run.Watch("training", epochs), cancellationToken: run.Cancellation);
        run.Keep("detector.safetensors", model);
        return Test(run, model, grid, testing, tests);
    }

    /// <summary>Large images; in a quick run smaller ones with fewer digits, of which more can be seen in its time.</summary>
    private static DigitScenes Scenes(ScriptRun run, Dataset digits, int part) => run.Quick
        ? new(digits, part) { Side = 48, Digits = (1, 2), Sizes = (20, 32), Clutter = (1, 3) }
        : new(digits, part) { Side = 96, Digits = (3, 7), Sizes = (20, 32), Clutter = (6, 12) };

    private static FastNN.Model CreateModel(int side)
    {
        Symbol image = FastNN.Model.Input("image", new Shape(side, side, 1)), x = image;
        (int Channels, int Stride)[] layers = [(16, 2), (16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (64, 1)];
        foreach ((int channels, int stride) in layers)
        {
            x = new Conv2D(channels, 3) { Stride = stride, Padding = 1, UseBias = false }.Apply(x);
            x = new ActivationLayer(Activation.ReLU).Apply(new BatchNorm2D().Apply(x));
        }

        // Nearly all cells are empty: first scores that say so keep them from filling the first steps (Lin et al., 2017).
        Symbol scores = new Conv2D(Classes, 1) { Name = "scores", BiasInitializer = Initializer.Constant(-4) }.Apply(x);
        return new FastNN.Model(image, Symbol.Concat(scores, new Conv2D(4, 1) { Name = "boxes" }.Apply(x)));
    }

    /// <summary>Finds digits in scenes that training never saw.</summary>
    private static double Test(ScriptRun run, Layer model, BoxGrid grid, DigitScenes scenes, int count)
    {
        MeanAveragePrecision precision = new(Classes), ofBoxes = new(classes: 1);
        using Predictor predictor = model.CreatePredictor(run.Device);
        using ScriptPhase phase = run.Begin("testing", count);
        var output = new float[grid.Shape.Count];
        int found = 0, present = 0;
        for (int i = 0; i < count; i++)
        {
            DigitScene scene = scenes.Create(i);
            predictor.Predict(scene.Pixels, output);
            IReadOnlyList<Detection> detections = Detection.Suppress(grid.Decode(output, least: 0.05f), acrossClasses: true);
            precision.Add(detections, scene.Objects);
            ofBoxes.Add(
                [.. detections.Select(detection => detection with { Label = 0 })],
                [.. scene.Objects.Select(item => item with { Label = 0 })]);
            present += scene.Objects.Count;
            found += detections.Count(detection => detection.Score > 0.5f);
            phase.Step();
        }

        run.Keep("digits-detect.png", stream => stream.Write(Picture(predictor, grid, scenes)));
        run.Figure("digits per scene", (double)present / count);
        run.Figure("digits found per scene, with a score above 0.5", (double)found / count);
        run.Figure("mAP at IoU 0.5, whatever digit it is taken for", ofBoxes.Value);
        return precision.Value;
    }

    /// <summary>Scenes with a frame around each digit that was found, in the color of the digit it is taken for.</summary>
    private static byte[] Picture(Predictor predictor, BoxGrid grid, DigitScenes scenes)
    {
        const int Columns = 5, Count = 10;
        int side = scenes.Side;
        var images = new float[Count * side * side * 3];
        var output = new float[grid.Shape.Count];
        for (int i = 0; i < Count; i++)
        {
            Span<float> image = images.AsSpan(i * side * side * 3, side * side * 3);
            DigitScene scene = scenes.Create(i);
            for (int pixel = 0; pixel < side * side; pixel++)
            {
                image.Slice(3 * pixel, 3).Fill(scene.Pixels[pixel]);
            }

            predictor.Predict(scene.Pixels, output);
            foreach (Detection found in Detection.Suppress(grid.Decode(output, least: 0.5f), acrossClasses: true))
            {
                Frame(image, side, found.Box, DigitColors.Of(found.Label));
            }
        }

        return new ImageGrid { Columns = Columns, Scale = 2 }.Encode(images, [Count, side, side, 3]);
    }

    private static void Frame(Span<float> image, int side, BoundingBox box, (float Red, float Green, float Blue) color)
    {
        int Within(float place) => Math.Clamp((int)MathF.Round(place), 0, side - 1);
        (int top, int left) = (Within(box.Top), Within(box.Left));
        (int bottom, int right) = (Within(box.Top + box.Height - 1), Within(box.Left + box.Width - 1));
        for (int y = top; y <= bottom; y++)
        {
            for (int x = left; x <= right; x++)
            {
                if (y == top || y == bottom || x == left || x == right)
                {
                    DigitColors.Paint(image, (y * side) + x, color);
                }
            }
        }
    }
}
