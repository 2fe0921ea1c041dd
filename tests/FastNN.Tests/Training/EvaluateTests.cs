using FastNN.Data;

namespace FastNN.Tests.Training;

internal sealed class EvaluateTests : TrainingFixture
{
    [Test]
    public void The_confusion_matrix_and_its_report_have_the_dataset_s_class_names()
    {
        Dataset named = Dataset.FromFloats(
            [0, 0, 1, 0, 0, 1, 1, 1], [2], [0, 1, 2, 3], 4, ["south-west", "south-east", "north-west", "north-east"]);
        using Trainer trainer = Toy.Trainer(Device);
        ConfusionMatrix confusion = trainer.Evaluate(named).Confusion!;
        Assert.Multiple(() =>
        {
            Assert.That(confusion.Names, Is.EqualTo(named.ClassNames));
            Assert.That(
                new ClassificationReport(confusion).Classes.Select(metrics => metrics.Name), Is.EqualTo(named.ClassNames));
            Assert.That(confusion.ToString(), Does.Contain("north-west"));
        });
    }

    [Test]
    public void A_model_with_more_outputs_than_the_dataset_has_classes_counts_by_number()
    {
        Dataset two = Dataset.FromFloats([0, 0, 1, 1], [2], [0, 1], 2, ["a", "b"]);
        using Trainer trainer = Toy.Trainer(Device);
        Assert.That(trainer.Evaluate(two).Confusion!.Names, Is.EqualTo(new[] { "0", "1", "2", "3" }));
    }

    [Test]
    public void Accuracy_counts_every_example_but_those_of_the_ignored_class()
    {
        // Class 0 is ignored though it is a class of its own; the network always answers 1.
        Dataset data = Dataset.FromFloats([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [2], [0, 1, 1, 2, 0], 3);
        var model = new Sequential(new Dense(3) { Name = "logits" });
        model.Build(new Shape(2));
        model.Parameters[1].Write([0, 1, 0]);
        using var trainer = new Trainer(model, Device, new CrossEntropyLoss { ClassIndices = true, IgnoreIndex = 0 }, new Sgd(0));
        Evaluation evaluation = trainer.Evaluate(data, batchSize: 2);
        Assert.That((evaluation.Accuracy, evaluation.Confusion!.Total), Is.EqualTo((2 / 3.0, 3L)));
        Assert.That(trainer.Fit(data, batchSize: 3).Epochs[0].Accuracy, Is.EqualTo(2 / 3.0));
    }

    [Test]
    public void A_cancelled_evaluation_ends()
    {
        using Trainer trainer = Toy.Trainer(Device);
        Assert.That(
            () => trainer.Evaluate(Toy.Points(50), cancellationToken: new CancellationToken(canceled: true)),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(trainer.Evaluate(Toy.Points(50)).Confusion!.Total, Is.EqualTo(50), "the trainer is usable afterwards");
    }

    [Test]
    public void Texts_of_a_callback_travel_in_a_checkpoint()
    {
        string path = PathOf("run.st");
        using (Trainer trainer = Toy.Trainer(Device))
        {
            trainer.Fit(Toy.Points(20), callbacks: [new Note("mnist, \"quoted\"\n2")]);
            trainer.SaveCheckpoint(path);
        }

        var note = new Note("");
        using Trainer resumed = Toy.Trainer(Device, Toy.Built());
        resumed.LoadCheckpoint(path, [note]);
        Assert.That(note.Text, Is.EqualTo("mnist, \"quoted\"\n2"));
    }

    private sealed class Note(string text) : Callback
    {
        public string Text { get; private set; } = text;

        public override void SaveState(CallbackState state) => state.Texts["note"] = Text;

        public override void LoadState(CallbackState state) => Text = state.Texts["note"];
    }
}
