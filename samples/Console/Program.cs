// Trains a classifier on a table, keeps it as an ONNX file, reads the file back and asks it: train-tumors [FILE.onnx]
using FastNN;
using FastNN.Data;
using FastNN.Onnx;

string path = args is [string given] ? given : "tumors.onnx";

using Device device = Device.Cpu();
(Dataset train, Dataset test) = BreastCancer.Load().Split(testFraction: 0.2, seed: 1);

// The first layer brings thirty measurements of very different sizes to one scale, so the network takes them as they are.
var model = new Sequential(new BatchNorm1D(), new Dense(32, Activation.ReLU), new Dense(2));
using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(3e-3f), seed: 1);
trainer.Fit(train, epochs: 20, batchSize: 32);
Console.WriteLine($"after training: {trainer.Evaluate(test)}");

model.ExportOnnx(path);
using OnnxModel file = OnnxModel.Load(path);
Console.WriteLine($"{Path.GetFileName(path)}: {file.Inputs[0]} -> {file.Outputs[0]}");

var measurements = new float[test.Count * 30];
for (int i = 0; i < test.Count; i++)
{
    test.CopyFeatures(i, measurements.AsSpan(i * 30, 30));
}

using OnnxSession session = file.Compile(device);
OnnxTensor input = OnnxTensor.Create(measurements, test.Count, 30);
OnnxTensor[] outputs = session.CreateOutputs(input);
session.Run([input], outputs);

ReadOnlySpan<float> scores = outputs[0].Values<float>();
int right = 0;
for (int i = 0; i < test.Count; i++)
{
    right += (scores[2 * i + 1] > scores[2 * i] ? 1 : 0) == test.LabelOf(i) ? 1 : 0;
}

Console.WriteLine($"the file is right about {right} of {test.Count}");
