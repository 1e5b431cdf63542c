"""Lightning loads our checkpoints, and resumes from them exactly as from its own."""
import logging
import unittest

import tools

tools.need("torch")
import numpy as np
import torch
from torch import nn

if torch.__version__.startswith("1.13.0a"):
    torch.__version__ = "1.13.1"  # what Debian's package really is; Lightning wants to know
try:
    import lightning.pytorch as pl
except ImportError:
    tools.need("pytorch_lightning")
    import pytorch_lightning as pl
ModelCheckpoint = pl.callbacks.ModelCheckpoint

for name in ("lightning.pytorch", "pytorch_lightning", "lightning_fabric"):
    logging.getLogger(name).setLevel(logging.ERROR)

# The restricted reader of PyTorch 1.13 knows no floating-point numbers.
RESTRICTED = {"weights_only": True} if int(torch.__version__.split(".")[0]) >= 2 else {}


class Wrapper(pl.LightningModule):
    """As MASE wraps a network: `model`, metrics of its own, Adam or SGD, a cosine schedule."""

    def __init__(self, optimizer="adam", epochs=4):
        super().__init__()
        self.model = nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
        self.optimizer_name = optimizer
        self.epochs = epochs

    def _register_sharded_tensor_state_dict_hooks_if_available(self):
        """Not here: PyTorch 1.13 cannot import its sharded tensors under Python 3.11."""

    def training_step(self, batch, _):
        return nn.functional.cross_entropy(self.model(batch[0]), batch[1])

    def validation_step(self, batch, _):
        self.log("val_loss_epoch", nn.functional.cross_entropy(self.model(batch[0]), batch[1]))

    def configure_optimizers(self):
        if self.optimizer_name == "adam":
            optimizer = torch.optim.Adam(self.parameters(), lr=0.01)
        else:
            optimizer = torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9, nesterov=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=self.epochs, eta_min=1e-6)
        return {"optimizer": optimizer, "lr_scheduler": schedule}


def loader():
    random = torch.Generator().manual_seed(5)
    x = torch.randn(60, 6, generator=random)
    y = torch.randint(0, 3, (60,), generator=random)
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=16)


class SaveAfterStep(pl.Callback):
    """Saves in the middle of an epoch."""

    def __init__(self, step, path):
        self.step, self.path = step, path

    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step == self.step:
            trainer.save_checkpoint(self.path)


def trainer(folder, extra=(), **options):
    return pl.Trainer(
        default_root_dir=folder, accelerator="cpu", devices=1, logger=False,
        enable_progress_bar=False, enable_model_summary=False,
        callbacks=[ModelCheckpoint(folder, monitor="val_loss_epoch", mode="min", save_last=True,
                                   filename="best"), *extra],
        **options)


class Lightning(tools.TestCase):
    def train(self, folder, optimizer, resume=None, **options):
        torch.manual_seed(3)
        model = Wrapper(optimizer)
        run = trainer(folder, **options)
        run.fit(model, loader(), loader(), ckpt_path=resume)
        return model, run

    def check_resume(self, theirs, optimizer, epoch_differs=False, repeats_batch=False):
        ours = self.convert(theirs, self.folder / "ours.ckpt")
        a = torch.load(theirs, **RESTRICTED)
        b = torch.load(ours, **RESTRICTED)
        self.assertEqual(a["epoch"] - epoch_differs, b["epoch"])
        self.assertEqual(a["global_step"], b["global_step"])
        for name, tensor in a["state_dict"].items():
            self.assertTrue(torch.equal(b["state_dict"][name], tensor), name)
        self.assertEqual(a["lr_schedulers"], b["lr_schedulers"])
        self.assertEqual(a["callbacks"], b["callbacks"])
        self.assertEqual(a["optimizer_states"][0]["param_groups"], b["optimizer_states"][0]["param_groups"])
        for index, slot in a["optimizer_states"][0]["state"].items():
            self.assertEqual(list(slot), list(b["optimizer_states"][0]["state"][index]))
            for name, tensor in slot.items():
                self.assertTrue(torch.equal(b["optimizer_states"][0]["state"][index][name], tensor), name)

        results = []
        for name, path in (("own", theirs), ("ours", ours)):
            model, run = self.train(self.folder / f"resumed_{name}_{optimizer}", optimizer, path, max_epochs=4)
            self.assertEqual(run.current_epoch, 4)
            results.append((run.global_step, model.state_dict()))
        if repeats_batch and results[0][0] != results[1][0]:
            return results[1]
        self.assertEqual(results[0][0], results[1][0])
        for name, tensor in results[0][1].items():
            self.assertTrue(torch.equal(results[1][1][name], tensor), name)
        return results[0]

    def check_uninterrupted(self, state, optimizer):
        whole, _ = self.train(self.folder / f"whole_{optimizer}", optimizer, max_epochs=4)
        for name, tensor in whole.state_dict().items():
            self.assertTrue(torch.equal(state[name], tensor), name)

    def test_resume_after_an_epoch(self):
        for optimizer in ("adam", "sgd"):
            self.train(self.folder / optimizer, optimizer, max_epochs=2)
            steps, state = self.check_resume(self.folder / optimizer / "last.ckpt", optimizer)
            self.assertEqual(steps, 16)
            self.check_uninterrupted(state, optimizer)

    def test_resume_in_an_epoch(self):
        # Four batches an epoch: six steps end in the middle of the second.
        theirs = self.folder / "middle.ckpt"
        self.train(self.folder / "run", "adam", extra=[SaveAfterStep(6, theirs)], max_epochs=4)
        # Lightning does not skip the batches already seen, so this equals no uninterrupted run; and older
        # versions count a batch twice when they resume from their own file.
        steps, _ = self.check_resume(theirs, "adam", repeats_batch=True)
        self.assertEqual(steps, 16)

    def test_resume_after_max_steps(self):
        # The trainer counts the epoch that max_steps cut short as done.
        _, run = self.train(self.folder / "run", "adam", max_steps=6, max_epochs=4)
        run.save_checkpoint(self.folder / "after.ckpt")
        self.check_resume(self.folder / "after.ckpt", "adam", epoch_differs=True)

    def test_load_and_test(self):
        self.train(self.folder / "run", "adam", max_epochs=2)
        best = self.folder / "run" / "best.ckpt"
        ours = self.convert(best, self.folder / "ours.ckpt")
        a = Wrapper.load_from_checkpoint(best)
        b = Wrapper.load_from_checkpoint(ours)
        for name, tensor in a.state_dict().items():
            self.assertTrue(torch.equal(b.state_dict()[name], tensor), name)

    @unittest.skipUnless(RESTRICTED, "torch.load(weights_only=True) needs PyTorch 2: MASE_TORCH2_PYTHON")
    def test_restricted_load(self):
        self.train(self.folder / "run", "adam", max_epochs=1)
        ours = self.convert(self.folder / "run" / "last.ckpt", self.folder / "ours.ckpt")
        loaded = torch.load(ours, weights_only=True)
        self.assertEqual(loaded["global_step"], 4)
        self.assertIn("mase", loaded)

    def test_names_without_the_wrapper(self):
        model, _ = self.train(self.folder / "run", "adam", max_epochs=1)
        self.convert(self.folder / "run" / "last.ckpt", self.folder / "ours.npz")
        with np.load(self.folder / "ours.npz") as ours:
            self.assertEqual(ours.files, list(model.model.state_dict()))
            for name, tensor in model.model.state_dict().items():
                self.same_array(ours[name], tensor.numpy(), name)


if __name__ == "__main__":
    unittest.main()
